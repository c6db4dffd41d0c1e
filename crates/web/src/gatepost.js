/* Copy buttons, live panels, listening panels and the code field. Every page works without it; what needs it is hidden until
   it runs. */
(() => {
  "use strict";
  const every = (selector, within, use) => within.querySelectorAll(selector).forEach(use);

  /* <button hidden data-copy="ID" data-done="Copied" data-failed="Press Ctrl+C">: copies the text of #ID. */
  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const text = (source.dataset.text || source.value || source.textContent).trim();
    const say = (words) => {
      const place = button.querySelector("[data-word]") || button;
      if (!button.dataset.word) button.dataset.word = place.textContent;
      place.textContent = words;
      let live = document.getElementById("said");
      if (live) live.textContent = words;
      clearTimeout(button.back);
      button.back = setTimeout(() => { place.textContent = button.dataset.word; }, 4000);
    };
    try {
      await navigator.clipboard.writeText(text);
      say(button.dataset.done);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      if (source.select) { source.focus(); source.select(); }
      say(button.dataset.failed);
    }
  };

  /* <section data-live="ADDRESS">: its inner part is fetched again every ten seconds, or every data-every, while somebody can see it. */
  const live = (panel) => {
    let running = false;
    const look = async () => {
      if (document.hidden || running) return;
      running = true;
      try {
        const answer = await fetch(panel.dataset.live, { headers: { "Gatepost-Live": "1" }, redirect: "manual" });
        /* Signed out in the meantime: the page itself says so. */
        if (answer.type === "opaqueredirect") { location.reload(); return; }
        if (!answer.ok) throw new Error();
        const html = await answer.text();
        if (html !== panel.last) {
          const focused = panel.contains(document.activeElement) ? document.activeElement.id : "";
          const open = [...panel.querySelectorAll("details[open][id]")].map((it) => it.id);
          panel.innerHTML = html;
          panel.last = html;
          open.forEach((id) => { const it = document.getElementById(id); if (it) it.open = true; });
          if (focused) { const it = document.getElementById(focused); if (it) it.focus(); }
          prepare(panel);
        }
        panel.removeAttribute("data-stale");
      } catch {
        panel.setAttribute("data-stale", "");
      }
      running = false;
    };
    setInterval(look, (panel.dataset.every || 10) * 1000);
    document.addEventListener("visibilitychange", look);
  };

  /* <div data-listen="ADDRESS">: parts of pages arrive as events and are put at its end. */
  const listen = (panel) => {
    const events = new EventSource(panel.dataset.listen);
    events.onmessage = (event) => {
      panel.insertAdjacentHTML("beforeend", event.data);
      panel.removeAttribute("data-stale");
    };
    events.addEventListener("replace", (event) => { panel.innerHTML = event.data; });
    events.addEventListener("end", () => events.close());
    events.onopen = () => panel.removeAttribute("data-stale");
    events.onerror = () => panel.setAttribute("data-stale", "");
    addEventListener("pagehide", () => events.close());
  };

  /* A code is often pasted with spaces, and some programs put a hyphen in it. */
  const code = (field) => {
    field.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text").replace(/[\s\-\u00a0]/g, "");
      if (!/^\d{4,10}$/.test(text)) return;
      event.preventDefault();
      field.value = text;
    });
  };

  /* <input type=checkbox data-show="ID">: shows what is typed into #ID; never to the browser's memory of typed texts. */
  const show = (box) => {
    const field = document.getElementById(box.dataset.show);
    box.onchange = () => { field.type = box.checked ? "text" : "password"; };
    field.form.addEventListener("submit", () => { field.type = "password"; box.checked = false; });
  };

  /* <p hidden data-count="ID" data-words="{n} characters so far">: counted as the server counts, by code points. */
  const count = (place) => {
    const field = document.getElementById(place.dataset.count);
    const say = () => {
      const n = [...field.value.normalize("NFKC")].length;
      place.textContent = place.dataset.words.replace("{n}", n);
    };
    field.addEventListener("input", say);
    say();
    place.hidden = false;
  };

  const prepare = (within) => {
    every("[data-script][hidden]", within, (it) => { it.hidden = false; });
    every("button[data-copy]", within, (it) => { it.hidden = false; it.onclick = () => copy(it); });
    every("button[data-print]", within, (it) => { it.hidden = false; it.onclick = () => print(); });
    every("input[data-code]", within, code);
    every("input[data-show]", within, show);
    every("[data-count]", within, count);
  };

  prepare(document);
  every("[data-live]", document, live);
  every("[data-listen]", document, listen);

  /* A menu that is open closes when something else is clicked, or by Escape. */
  const menus = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", (event) => menus().forEach((it) => { if (!it.contains(event.target)) it.open = false; }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menus().forEach((it) => { it.open = false; it.querySelector("summary").focus(); });
  });
  /* A form is sent once, however often its button is clicked. */
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    /* <form target="_blank" data-then="ADDRESS">: this page goes on there while the answer opens in its own tab. */
    const then = event.target.dataset.then;
    if (then) setTimeout(() => location.assign(then), 500);
  });
  addEventListener("pageshow", () => every("form[data-sent]", document, (it) => { delete it.dataset.sent; }));
})();
