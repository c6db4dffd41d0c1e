//! What a person does and sees.

use std::path::Path;

use fantoccini::Locator;
use fantoccini::elements::{Element, ElementRef};
use gatepost_testkit::wait_until;
use serde_json::{Value, json};

use super::{Browser, PATIENCE};

/// How things are found by their words.
const FIND: &str = include_str!("find.js");

/// The name under which WebDriver hands over an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Types a path, or a whole address, into the address bar.
    #[track_caller]
    pub(crate) fn go(&mut self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let went = self.wait_for(self.client.goto(&url));
        went.unwrap_or_else(|error| panic!("{url}: {error}"));
        self.note_page();
    }

    /// The back button.
    #[track_caller]
    pub(crate) fn go_back(&mut self) {
        self.wait_for(self.client.back()).unwrap();
        self.note_page();
    }

    /// The reload button.
    #[track_caller]
    pub(crate) fn reload(&mut self) {
        self.wait_for(self.client.refresh()).unwrap();
        self.note_page();
    }

    /// The path of the page, with its query.
    pub(crate) fn path(&self) -> String {
        let url = self.wait_for(self.client.current_url()).unwrap();
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Waits until the address bar shows these words, and gives all of it; also where nothing answers there.
    #[track_caller]
    pub(crate) fn await_address(&self, words: &str) -> String {
        let address = || self.wait_for(self.client.current_url()).unwrap().to_string();
        let found = wait_until(PATIENCE, || Some(address()).filter(|it| it.contains(words)));
        found.unwrap_or_else(|| panic!("{words:?} is not in {}", address()))
    }

    /// Waits until the page has this path, without its query.
    #[track_caller]
    pub(crate) fn arrives_at(&mut self, path: &str) {
        let arrived = wait_until(PATIENCE, || (self.path().split('?').next() == Some(path)).then_some(()));
        assert!(arrived.is_some(), "not at {path} but at {}: {}", self.path(), self.text());
        self.note_page();
    }

    /// All that can be read on the page.
    pub(crate) fn text(&self) -> String {
        self.find("return pageText()", &[]).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until these words can be read.
    #[track_caller]
    pub(crate) fn see(&mut self, words: &str) {
        let is_there = "return pageText().includes(words(arguments[0]))";
        let seen = wait_until(PATIENCE, || (self.find(is_there, &[json!(words)]) == true).then_some(()));
        assert!(seen.is_some(), "{words:?} is not on {}: {}", self.path(), self.text());
        self.note_page();
    }

    /// Waits until these words can no longer be read.
    #[track_caller]
    pub(crate) fn not_see(&mut self, words: &str) {
        let is_gone =
            "return document.readyState === 'complete' && !pageText().includes(words(arguments[0]))";
        let gone = wait_until(PATIENCE, || (self.find(is_gone, &[json!(words)]) == true).then_some(()));
        assert!(gone.is_some(), "{words:?} is on {}: {}", self.path(), self.text());
        self.note_page();
    }

    /// Puts text into the field with this label, in the place of what was there.
    #[track_caller]
    pub(crate) fn fill(&mut self, label: &str, text: &str) {
        let field = self.await_element("return field(arguments[0])", &[json!(label)]);
        let filled = self.wait_for(async {
            field.clear().await?;
            field.send_keys(text).await
        });
        filled.unwrap_or_else(|error| panic!("{label}: {error}"));
    }

    /// What the field with this label holds.
    #[track_caller]
    pub(crate) fn value(&mut self, label: &str) -> String {
        let field = self.await_element("return field(arguments[0])", &[json!(label)]);
        self.wait_for(field.prop("value")).unwrap().unwrap_or_default()
    }

    /// Chooses an entry of the list with this label.
    #[track_caller]
    pub(crate) fn choose(&mut self, label: &str, entry: &str) {
        let list = self.await_element("return field(arguments[0])", &[json!(label)]);
        let chosen = self.wait_for(list.select_by_label(entry));
        chosen.unwrap_or_else(|error| panic!("{label}: {entry}: {error}"));
    }

    /// Clicks the box or the round button with this label.
    #[track_caller]
    pub(crate) fn tick(&mut self, label: &str) {
        let field = self.await_element("return field(arguments[0])", &[json!(label)]);
        self.wait_for(field.click()).unwrap_or_else(|error| panic!("{label}: {error}"));
    }

    /// Whether the box or the round button with this label is on.
    #[track_caller]
    pub(crate) fn is_ticked(&mut self, label: &str) -> bool {
        let field = self.await_element("return field(arguments[0])", &[json!(label)]);
        self.wait_for(field.is_selected()).unwrap()
    }

    /// Clicks the button or the link with this name.
    #[track_caller]
    pub(crate) fn press(&mut self, name: &str) {
        self.press_found(name, &Value::Null);
    }

    /// The same where several have this name: the one that stands nearest to these words, as in the same row or card.
    #[track_caller]
    pub(crate) fn press_near(&mut self, words: &str, name: &str) {
        self.press_found(name, &json!(words));
    }

    #[track_caller]
    fn press_found(&mut self, name: &str, near: &Value) {
        let found =
            self.await_element("return pressable(arguments[0], arguments[1])", &[json!(name), near.clone()]);
        self.wait_for(found.click()).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.note_page();
    }

    /// Presses keys where the keyboard is, such as `&Key::Tab`.
    #[track_caller]
    pub(crate) fn keys(&mut self, keys: &str) {
        let typed = self.wait_for(async { self.client.active_element().await?.send_keys(keys).await });
        typed.unwrap_or_else(|error| panic!("{error}"));
        self.note_page();
    }

    /// The words of whatever the keyboard is at.
    pub(crate) fn focused(&self) -> String {
        let script = "const it = document.activeElement; \
            return it.labels && it.labels.length ? words(it.labels[0].innerText) : nameOf(it)";
        self.find(script, &[]).as_str().unwrap_or_default().to_owned()
    }

    /// The text of the one element that this CSS selector finds.
    #[track_caller]
    pub(crate) fn text_of(&mut self, selector: &str) -> String {
        let found = wait_until(PATIENCE, || self.wait_for(self.client.find(Locator::Css(selector))).ok());
        let found = found.unwrap_or_else(|| panic!("no {selector} on {}: {}", self.path(), self.text()));
        self.wait_for(found.text()).unwrap()
    }

    /// What the clipboard holds; the page must be allowed to read it.
    #[track_caller]
    pub(crate) fn clipboard(&self) -> String {
        let script = "const done = arguments[0]; \
            navigator.clipboard.readText().then(done, (error) => done({ refused: String(error) }))";
        let read = self.script_that_calls_back(script, &[]);
        read.as_str().unwrap_or_else(|| panic!("the clipboard is not to be read: {read}")).to_owned()
    }

    /// Waits until a file of this name has been downloaded whole, and gives what it holds.
    #[track_caller]
    pub(crate) fn downloaded(&self, name: &str) -> Vec<u8> {
        // Until then it has another name.
        let path = self.downloads().join(name);
        let done = wait_until(PATIENCE, || std::fs::read(&path).ok());
        done.unwrap_or_else(|| panic!("{name} was not downloaded, but {:?}", names_in(&self.downloads())))
    }

    /// Opens a second tab on the same pages and goes on there; gives what [`Browser::turn_to`] needs to come back.
    pub(crate) fn new_tab(&mut self) -> fantoccini::wd::WindowHandle {
        let before = self.wait_for(self.client.window()).unwrap();
        let opened = self.wait_for(self.client.new_window(true)).unwrap();
        self.wait_for(self.client.switch_to_window(opened.handle)).unwrap();
        self.change_look(self.look);
        before
    }

    /// Goes on in the tab that something has just opened; gives the one that was left.
    #[track_caller]
    pub(crate) fn turn_to_opened_tab(&mut self) -> fantoccini::wd::WindowHandle {
        let before = self.wait_for(self.client.window()).unwrap();
        let opened = wait_until(PATIENCE, || {
            let all = self.wait_for(self.client.windows()).unwrap_or_default();
            all.into_iter().find(|it| *it != before)
        });
        let opened = opened.unwrap_or_else(|| panic!("no other tab was opened from {}", self.path()));
        self.wait_for(self.client.switch_to_window(opened)).unwrap();
        self.change_look(self.look);
        before
    }

    /// Closes this tab, and goes on in another.
    pub(crate) fn close_for(&mut self, tab: fantoccini::wd::WindowHandle) {
        self.wait_for(self.client.close_window()).unwrap();
        self.wait_for(self.client.switch_to_window(tab)).unwrap();
    }

    /// Goes on in another tab; gives the one that was left.
    pub(crate) fn turn_to(&mut self, tab: fantoccini::wd::WindowHandle) -> fantoccini::wd::WindowHandle {
        let before = self.wait_for(self.client.window()).unwrap();
        self.wait_for(self.client.switch_to_window(tab)).unwrap();
        before
    }

    /// Runs a script that may use the words of [`FIND`]. Null while a page is leaving.
    fn find(&self, script: &str, args: &[Value]) -> Value {
        self.try_script(&format!("{FIND}\n{script}"), args).unwrap_or_default()
    }

    /// Waits for an element that a script finds; else fails with the sentence that it gave.
    #[track_caller]
    fn await_element(&mut self, script: &str, args: &[Value]) -> Element {
        let mut last = Value::Null;
        let found = wait_until(PATIENCE, || {
            last = self.find(script, args);
            last[ELEMENT].as_str().map(str::to_owned)
        });
        let id = found.unwrap_or_else(|| panic!("{} on {}: {}", last, self.path(), self.text()));
        Element::from_element_id(self.client.clone(), ElementRef::from(id))
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect()
}
