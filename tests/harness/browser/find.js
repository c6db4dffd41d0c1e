// What a person finds on a page by its words. Each function gives an element, or a sentence about what is there instead.
const words = (text) => (text || '').replace(/\s+/g, ' ').trim();
const isShown = (it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest('[inert]');
const nameOf = (it) => words(it.getAttribute('aria-label') || (it.matches('input') ? it.value : it.innerText));

function pageText() {
  return words(document.body ? document.body.innerText : '');
}

function field(label) {
  const wanted = words(label);
  const named = [];
  for (const it of document.querySelectorAll('input, select, textarea')) {
    if (it.type === 'hidden') continue;
    const labels = [...(it.labels || [])].filter(isShown).map((one) => words(one.innerText));
    const name = it.getAttribute('aria-label');
    named.push([it, name ? [...labels, words(name)] : labels]);
  }
  const exact = named.filter(([, labels]) => labels.includes(wanted));
  const found = exact.length ? exact : named.filter(([, labels]) => labels.some((one) => one.startsWith(wanted)));
  if (found.length === 1) return found[0][0];
  return `${found.length} fields are labelled ${wanted}; there are: ${named.map(([, labels]) => labels.join(' / ')).join(', ')}`;
}

function pressable(name, near) {
  const wanted = words(name);
  const kinds = 'a[href], button, summary, input[type=submit], input[type=button], [role=button], [role=tab], [role=menuitem]';
  const all = [...document.querySelectorAll(kinds)].filter(isShown);
  let found = all.filter((it) => nameOf(it) === wanted && !it.disabled);
  if (near) {
    // The one for which the fewest steps up lead to an element with those words.
    const steps = (it) => {
      let n = 0;
      for (let at = it; at; at = at.parentElement, n += 1) if (words(at.innerText).includes(words(near))) return n;
      return Infinity;
    };
    const measured = found.map((it) => [it, steps(it)]);
    const least = Math.min(...measured.map(([, n]) => n));
    found = measured.filter(([, n]) => n === least && n !== Infinity).map(([it]) => it);
  }
  const targets = new Set(found.map((it) => it.href || it));
  if (targets.size === 1) return found[0];
  return `${targets.size} things to press are called ${wanted}${near ? ` near ${near}` : ''}; there are: ${all.map(nameOf).join(', ')}`;
}
