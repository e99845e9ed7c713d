//! For tests: what a browser makes of a page.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What the page says of itself after all of it was opened and searched.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// Errors of scripts, messages of the console, and breaches of the content policy.
    pub errors: Vec<String>,
    /// Charts on the page.
    pub charts: u64,
    /// Of them, those that are drawn and take room.
    pub visible: u64,
    /// Sections of columns.
    pub columns: u64,
    /// Those that are left when the page is searched for the words.
    pub found: u64,
    /// Those that are left when only failed ones are asked for.
    pub failed: u64,
    /// Pixels by which the page is wider than the window.
    pub overflow: f64,
    /// Texts of pictures that lie over each other.
    pub collisions: Vec<String>,
    /// Whether anything from the data ran as a script.
    pub hacked: bool,
}

/// Runs before the page's own script.
const WATCH: &str = r#"<script>
window.seenErrors = [];
addEventListener("error", (event) => seenErrors.push(String(event.message)));
addEventListener("unhandledrejection", (event) => seenErrors.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => seenErrors.push("policy: " + event.violatedDirective));
for (const kind of ["error", "warn"]) console[kind] = (...words) => seenErrors.push(words.join(" "));
</script>"#;

/// Runs after it. `WORDS` is replaced by what to search for.
const LOOK: &str = r#"<script>
(async () => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const seen = { errors: seenErrors, collisions: [] };
  try {
    byId("open").click();
    all("details.more").forEach((more) => { more.open = true; });
    dispatchEvent(new Event("beforeprint"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const more of all("details.more")) if (!more.querySelector("tbody tr")) seenErrors.push("nothing in " + more.textContent);
    const figures = all("figure");
    seen.charts = figures.length;
    seen.visible = figures.filter((figure) => {
      const svg = figure.querySelector(".drawn svg");
      const box = svg && svg.getBoundingClientRect();
      return box && box.width > 100 && box.height > 30 && svg.checkVisibility();
    }).length;
    for (const svg of all("figure svg").slice(0, 60)) {
      const boxes = all("text", svg).map((text) => [text.textContent, text.getBoundingClientRect()]);
      boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
        const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (wide > 3 && high > Math.min(p.height, q.height) * 0.5) seen.collisions.push(`${svg.ariaLabel}: ${a} / ${b}`);
      }));
    }
    seen.overflow = document.documentElement.scrollWidth - innerWidth;
    const columns = all("details.column");
    seen.columns = columns.length;
    const shown = () => columns.filter((column) => column.checkVisibility()).length;
    byId("search").value = WORDS;
    byId("search").dispatchEvent(new Event("input"));
    seen.found = shown();
    byId("search").value = "";
    byId("failed").checked = true;
    byId("failed").dispatchEvent(new Event("change"));
    seen.failed = shown();
    byId("theme").click();
  } catch (error) { seenErrors.push(String(error)); }
  seen.hacked = "hacked" in window;
  const note = document.createElement("pre");
  note.id = "seen";
  note.textContent = encodeURIComponent(JSON.stringify(seen));
  document.body.append(note);
})();
</script>"#;

/// Opens a page in a headless Chromium without a network, in a window of that width, searches it for `words` and tells what
/// it saw. None, with a line on stderr, where there is no Chromium; on CI (`CI=true`) that is a failure.
///
/// # Panics
/// When the browser cannot be run, or is missing on CI.
#[expect(clippy::print_stderr, reason = "a test that did not run must be seen")]
pub fn browse(page: &str, words: &str, width: u32) -> Option<Seen> {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    }) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no chromium, which CI must have");
        eprintln!("SKIPPED: there is no chromium, so the report was not opened in a browser");
        return None;
    };
    let folder = std::env::temp_dir().join(format!(
        "lookalike-page-{}-{:?}-{width}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let seen = look(browser, &folder, page, words, width);
    let _ = std::fs::remove_dir_all(&folder);
    Some(seen)
}

fn look(browser: &str, folder: &Path, page: &str, words: &str, width: u32) -> Seen {
    let words = serde_json::to_string(words).expect("text is JSON").replace('<', "\\u003c");
    let page = page.replacen("<title>", &format!("{WATCH}<title>"), 1);
    let page = page.replacen("</body>", &format!("{}</body>", LOOK.replace("WORDS", &words)), 1);
    let file = folder.join("index.html");
    std::fs::write(&file, page).expect("the page can be written");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--virtual-time-budget=20000",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ])
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    let note = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let note =
        note.unwrap_or_else(|| panic!("the page said nothing: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&decoded(note)).expect("the page speaks JSON")
}

/// Undoes `encodeURIComponent`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()]
                .map(|digit| digit.and_then(|d| char::from(d).to_digit(16)).unwrap_or(0));
            bytes.push((digits[0] * 16 + digits[1]) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
