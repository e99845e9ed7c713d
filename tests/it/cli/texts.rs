//! `texts`: a model is asked for texts, over real connections; and rows that are made of them, which ask nobody.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::draft::server::{Heard, Reply, Server};
use super::draft::{ID, SECRET, SESSION, all_files, run};
use super::{Outcome, Place};

mod stand_in;

/// Words in a random order, each with a tale; `keys` are further keys of the texts, `more` further columns.
fn ruleset(words: &str, keys: &str, more: &str) -> String {
    format!(
        "lookalike: 1\nname: x\nseed: 1\ntexts:\n  tales: {{file: tales.jsonl, model: m1{keys}}}\ntables:\n  t:\n    rows: 60\n    columns:\n      \
         word: {{choice: [{words}]}}\n      tale: {{llm_text: {{in: tales, prompt: 'Tell of {{word}}.'}}}}\n{more}"
    )
}

/// Runs `lookalike texts x.yaml` against a service that speaks as Bedrock.
fn texts(place: &Place, server: &Server, more: &[&str]) -> Outcome {
    let mut arguments = vec!["texts", "x.yaml", "--endpoint-url", &server.address];
    arguments.extend(more);
    run(place, true, &arguments)
}

/// What is asked last in a request of Bedrock's form.
fn asked(heard: &Heard) -> String {
    let turns = heard.json()["messages"].as_array().unwrap().clone();
    turns.last().unwrap()["content"][0]["text"].as_str().unwrap().to_owned()
}

fn told(text: &str) -> Reply {
    Reply::stream(text, None, "end_turn", 7)
}

/// Tells of the word that is asked for.
fn teller() -> Server {
    Server::start(|_, heard| told(&format!("  {} It ends, \"well\".\n", asked(heard))))
}

/// The lines of a file with texts.
fn lines(place: &Place, name: &str) -> Vec<Value> {
    let text = String::from_utf8(place.read(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn equal_prompts_are_asked_once_and_rows_ask_nobody() {
    let place =
        Place::with(&ruleset("fox, owl, elk", ", system: 'Be brief.', temperature: 0.5, max_tokens: 77", ""));
    let checked = place.run("check x.yaml").expect(2);
    assert!(
        checked.stderr.contains("no-texts") && checked.stderr.contains("lookalike texts RULESET"),
        "{checked}"
    );

    let server = teller();
    let outcome = texts(&place, &server, &[]).expect(0);
    assert!(outcome.stderr.contains("3 texts are kept after 3 calls"), "{outcome}");
    let heard = server.heard();
    let prompts: BTreeSet<String> = heard.iter().map(asked).collect();
    assert_eq!((heard.len(), prompts.len()), (3, 3));
    for heard in &heard {
        assert_eq!(heard.line, "POST /model/m1/converse-stream");
        let body = heard.json();
        assert_eq!(body["system"], json!([{"text": "Be brief."}]));
        assert_eq!(body["inferenceConfig"], json!({"maxTokens": 77, "temperature": 0.5}));
    }
    let lines = lines(&place, "tales.jsonl");
    let addresses: Vec<&str> = lines.iter().map(|line| line["address"].as_str().unwrap()).collect();
    assert!(lines.len() == 3 && addresses.is_sorted(), "{lines:?}");
    assert!(lines.iter().all(|line| line["by"] == "bedrock m1"), "{lines:?}");
    assert_eq!(place.files("."), ["tales.jsonl", "x.yaml"]);

    // Nothing is missing any more, so nobody is needed: not for texts, and not for rows.
    let again = run(&place, false, &["texts", "x.yaml"]).expect(0);
    assert!(again.stderr.contains("no text is missing"), "{again}");
    run(&place, false, &["texts", "x.yaml", "--offline"]).expect(0);
    let whole = place.run("generate x.yaml -o - --format jsonl").expect(0).text;
    for row in whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let word = row["word"].as_str().unwrap();
        assert_eq!(row["tale"], json!(format!("Tell of {word}. It ends, \"well\".")));
    }
    let parts: String = (1..=4)
        .map(|part| {
            let line = format!(
                "generate x.yaml -o - --format jsonl --shard {part}/4 --threads {part} --block-rows {part}"
            );
            place.run(&line).expect(0).text
        })
        .collect();
    assert_eq!(parts, whole);
    assert_eq!(server.heard().len(), 3);

    // The texts are part of what the ruleset is.
    let digest = |place: &Place| {
        place.run("generate x.yaml -o out --no-report --format csv").expect(0);
        serde_json::from_slice::<Value>(&place.read("out/manifest.json")).unwrap()["ruleset"]["sha256"]
            .clone()
    };
    let before = digest(&place);
    let text = String::from_utf8(place.read("tales.jsonl")).unwrap();
    place.write("tales.jsonl", text.replace("well", "ill"));
    assert_ne!(digest(&place), before);
}

#[test]
fn the_number_of_calls_has_a_limit_and_the_next_run_goes_on() {
    let place = Place::with(&ruleset("fox, owl, elk", "", ""));
    let server = teller();
    for (calls, left) in [("2", "1 text is still missing"), ("1", "")] {
        let outcome = texts(&place, &server, &["--max-calls", calls]);
        if left.is_empty() {
            outcome.expect(0);
        } else {
            let outcome = outcome.expect(2);
            assert!(
                outcome.stderr.contains("the limit of 2 calls") && outcome.stderr.contains(left),
                "{outcome}"
            );
            let missing = run(&place, false, &["texts", "x.yaml", "--offline"]).expect(5);
            assert!(missing.stderr.contains("offline, and 1 text is missing"), "{missing}");
            let row = place.run("generate x.yaml -o out").expect(2);
            assert!(row.stderr.contains("`tales.jsonl` has no text for row "), "{row}");
            assert!(row.stderr.contains("whose prompt is: Tell of "), "{row}");
        }
    }
    assert_eq!(server.heard().len(), 3);
    assert_eq!(lines(&place, "tales.jsonl").len(), 3);
}

#[test]
fn a_run_that_was_killed_loses_nothing() {
    let place = Place::with(&ruleset("fox, owl, elk, cat", "", ""));
    let slow = Server::start(|n, heard| {
        let reply = told(&asked(heard));
        if n < 2 { reply } else { reply.after(Duration::from_secs(600)) }
    });
    let mut command = place.command();
    command.args(["texts", "x.yaml", "--endpoint-url", &slow.address, "--concurrency", "1"]);
    command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "eu-west-1");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let part = place.path("tales.jsonl.part");
    let deadline = Instant::now() + Duration::from_secs(60);
    let kept = || std::fs::read_to_string(&part).unwrap_or_default().lines().count();
    while kept() < 2 || slow.heard().len() < 3 {
        assert!(Instant::now() < deadline, "{} texts came in", kept());
        std::thread::sleep(Duration::from_millis(10));
    }
    // Nobody else may ask meanwhile.
    let server = teller();
    let other = texts(&place, &server, &[]).expect(4);
    assert!(other.stderr.contains("another run is asking for the texts of `tales`"), "{other}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path("tales.jsonl").exists());
    // The last line is cut off in the middle.
    let mut text = std::fs::read_to_string(&part).unwrap();
    text.push_str("{\"address\":\"00");
    std::fs::write(&part, text).unwrap();

    texts(&place, &server, &[]).expect(0);
    let before: BTreeSet<String> = slow.heard()[..2].iter().map(asked).collect();
    let after: BTreeSet<String> = server.heard().iter().map(asked).collect();
    assert!(after.len() == 2 && before.is_disjoint(&after), "{before:?} {after:?}");
    assert_eq!(lines(&place, "tales.jsonl").len(), 4);
    assert_eq!(place.files("."), ["tales.jsonl", "x.yaml"]);
}

#[test]
fn answers_that_are_no_good_are_sent_back_and_then_reported() {
    let place = Place::with(&ruleset("fox, owl", ", max_length: 20, matches: '[A-Z].*'", ""));
    // The fox is told well at the second try; the owl never is.
    let server = Server::start(|_, heard| {
        let turns = heard.json()["messages"].as_array().unwrap().len();
        let first = heard.json()["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
        match (first.contains("fox"), turns) {
            (true, 1) => told("A tale that is far too long to be kept."),
            (true, _) => told("A short one."),
            (false, _) => told("no capital"),
        }
    });
    let outcome = texts(&place, &server, &["--concurrency", "1", "--tries", "2"]).expect(5);
    let said = &outcome.stderr;
    assert!(
        said.contains("1 text is not to be had") && said.contains("it does not match `[A-Z].*`"),
        "{outcome}"
    );
    assert!(said.contains("of `tales`") && said.contains("asked: Tell of owl."), "{outcome}");
    let heard = server.heard();
    assert_eq!(heard.len(), 4);
    let again: Vec<String> = heard.iter().map(asked).filter(|text| text.contains("cannot be used")).collect();
    assert!(again.iter().any(|text| text.contains("39 characters, and 20 are the most")), "{again:?}");
    let lines = lines(&place, "tales.jsonl");
    assert!(lines.len() == 1 && lines[0]["text"] == "A short one.", "{lines:?}");

    // A text that is no good any more is refused, and asked for anew.
    place.write("x.yaml", ruleset("fox", ", max_length: 5", ""));
    let checked = place.run("check x.yaml").expect(2);
    assert!(
        checked.stderr.contains("bad-texts") && checked.stderr.contains("12 characters, and 5 are"),
        "{checked}"
    );
    let server = Server::with(vec![told("Brief")]);
    texts(&place, &server, &[]).expect(0);
    place.run("check x.yaml").expect(0);
}

#[test]
fn texts_may_have_to_be_json() {
    let schema = ", json_schema: {type: object, required: [tale], properties: {tale: {type: string}, words: {type: integer}}}";
    let place = Place::with(&ruleset("fox", schema, ""));
    let server = Server::with(vec![
        told("{\"tale\": 1}"),
        told("Here: {\"tale\": \"x\"}"),
        told("{\"tale\": \"x\",\n  \"words\": 1}"),
    ]);
    texts(&place, &server, &[]).expect(0);
    let heard = server.heard();
    assert!(
        asked(&heard[1]).contains("it does not meet the JSON Schema at /tale: expected string"),
        "{}",
        heard[1].body
    );
    assert!(asked(&heard[2]).contains("it is not JSON"), "{}", heard[2].body);
    assert_eq!(lines(&place, "tales.jsonl")[0]["text"], r#"{"tale":"x","words":1}"#);
    // Such texts are JSON in JSON lines.
    let rows = place.run("generate x.yaml -o - --format jsonl").expect(0).text;
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!(row["tale"], json!({"tale": "x", "words": 1}));
    // They are read back as they were written, and stay so.
    place.run("generate x.yaml -o out --format jsonl --no-report").expect(0);
    place.run("validate out --ruleset x.yaml").expect(0);
    place.run("merge out/t.jsonl --in-order -o merged --format jsonl").expect(0);
    assert_eq!(place.read("merged/merged.jsonl"), place.read("out/t.jsonl"));
}

#[test]
fn texts_of_texts_come_in_turn_and_can_be_counted_before() {
    let more = "      moral: {llm_text: {in: morals, prompt: 'The moral of: {tale}'}}\n";
    let place = Place::new();
    let text = ruleset("fox, owl", "", more)
        .replace("tables:", "  morals: {file: morals.jsonl, model: m2, max_tokens: 10}\ntables:");
    place.write("x.yaml", text);
    place.write("p.json", r#"{"source": "a made-up list", "currency": "EUR", "per_million_tokens": {"m1": {"input": 1, "output": 2}, "m2": {"input": 1, "output": 1000000}}}"#);
    let dry = run(&place, false, &["texts", "x.yaml", "--dry-run", "--prices", "p.json"]).expect(0);
    for wanted in [
        "tales  2 calls to m1",
        "morals  2 calls to m2",
        "4 calls in all",
        "at most 20.00 EUR by the prices of a made-up list",
    ] {
        assert!(dry.stderr.contains(wanted), "no `{wanted}`: {dry}");
    }
    assert!(dry.text.contains("Tell of ") && place.files(".") == ["p.json", "x.yaml"], "{dry}");
    let server = teller();
    texts(&place, &server, &[]).expect(0);
    let asked: BTreeSet<String> = server.heard().iter().map(asked).collect();
    assert!(asked.contains("The moral of: Tell of fox. It ends, \"well\"."), "{asked:?}");
    assert_eq!((asked.len(), server.heard().len()), (4, 4));
    place.run("generate x.yaml -o out --format csv").expect(0);
}

#[test]
fn a_fallback_must_be_asked_for_and_is_on_record() {
    let more = "      other: {llm_text: {in: tales, prompt: 'Other: {word}', fallback: 'Nothing is known of {word}.'}}\n";
    let place = Place::with(&ruleset("fox, owl", "", more));
    // One column has a fallback, the other has none.
    place.run("generate x.yaml -o out").expect(2);
    let text =
        ruleset("fox, owl", "", more).replace("'Tell of {word}.'", "'Tell of {word}.', fallback: 'A tale.'");
    place.write("x.yaml", text);
    let outcome = place.run("generate x.yaml -o out --format jsonl").expect(0);
    assert!(
        outcome.stderr.contains("`tales` lacks 4 texts, for which the ruleset's fallback stands in"),
        "{outcome}"
    );
    let manifest: Value = serde_json::from_slice(&place.read("out/manifest.json")).unwrap();
    let expected = json!([{"name": "tales", "file": "tales.jsonl", "model": "m1", "kept": 0, "fallback": 4}]);
    assert_eq!(manifest["texts"], expected);
    let row: Value =
        serde_json::from_slice(place.read("out/t.jsonl").split(|b| *b == b'\n').next().unwrap()).unwrap();
    assert_eq!(row["tale"], "A tale.");
    assert_eq!(row["other"], json!(format!("Nothing is known of {}.", row["word"].as_str().unwrap())));
    // Asking goes for the real texts; then the fallback rests.
    texts(&place, &teller(), &[]).expect(0);
    place.run("generate x.yaml -o out --format jsonl").expect(0);
    let manifest: Value = serde_json::from_slice(&place.read("out/manifest.json")).unwrap();
    assert_eq!((&manifest["texts"][0]["kept"], &manifest["texts"][0]["fallback"]), (&json!(4), &json!(0)));
}

#[test]
fn credentials_are_nowhere() {
    let place = Place::with(&ruleset("fox, owl", ", max_length: 60", ""));
    let server = Server::start(|n, _| match n {
        0 => told(&format!("{SECRET} {ID} {SESSION} and much more, so that it is too long to be kept")),
        n if n < 3 => told(&format!("It knows {SECRET}, {ID} and {SESSION}")),
        _ => Reply::error(400, "ValidationException", &format!("no: {SECRET}")),
    });
    let outcome = texts(&place, &server, &["--concurrency", "1"]);
    let mut files = vec![("stderr".into(), outcome.stderr), ("stdout".into(), outcome.text)];
    all_files(place.folder.path(), &mut files);
    assert!(
        files.iter().any(|(name, text)| name.ends_with("tales.jsonl") && text.contains("[hidden]")),
        "{files:?}"
    );
    for (name, text) in &files {
        assert!([ID, SECRET, SESSION].iter().all(|secret| !text.contains(secret)), "{name}: {text}");
    }
    // What is sent back to the model has none, either.
    assert!(server.heard().iter().all(|heard| !heard.body.contains(SECRET)));
}

#[test]
fn throttling_is_waited_out_and_failures_end_it_early() {
    let place = Place::with(&ruleset("fox", "", ""));
    let busy = Reply::error(429, "ThrottlingException", "Too many requests");
    let server = Server::with(vec![busy.clone(), busy, told("A tale.")]);
    let outcome = texts(&place, &server, &[]).expect(0);
    assert_eq!(server.heard().len(), 3);
    assert!(outcome.stderr.contains("after 1 call,"), "{outcome}");
    for (status, code, words) in [
        (403, "AccessDeniedException", "bedrock:InvokeModel"),
        (404, "ResourceNotFoundException", "list-inference-profiles"),
        (403, "ExpiredTokenException", "aws sso login"),
    ] {
        let place = Place::with(&ruleset("a, b, c, d, e, f, g, h", "", ""));
        let server = Server::with(vec![Reply::error(status, code, "no")]);
        let outcome = texts(&place, &server, &["--concurrency", "2"]).expect(5);
        assert!(
            outcome.stderr.contains(words) && outcome.stderr.contains("8 texts are still missing"),
            "{outcome}"
        );
        // Who may not stream is asked without a stream, too.
        assert!(server.heard().len() <= 4, "no other request would fare better");
        assert_eq!(place.files("."), ["x.yaml"]);
    }
}

#[test]
fn no_more_calls_are_out_than_was_said() {
    let words: Vec<String> = (0..24).map(|n| format!("w{n}")).collect();
    let place = Place::with(&ruleset(&words.join(", "), "", ""));
    let (out, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |_, heard| {
        let now = out.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        // The first waits for company.
        let deadline = Instant::now() + Duration::from_secs(60);
        while most.load(Ordering::SeqCst) < 2 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let reply = told(&asked(heard));
        out.fetch_sub(1, Ordering::SeqCst);
        reply
    });
    texts(&place, &server, &["--concurrency", "3"]).expect(0);
    let most = seen.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} calls at a time");
}

#[test]
fn another_provider_is_asked_and_another_model_answers_for_the_ruleset_s() {
    let place = Place::with(&ruleset("fox, owl", "", ""));
    let server = Server::start(|n, heard| {
        assert_eq!(heard.json()["messages"].as_array().unwrap().len(), 1, "there are no rules to tell");
        match n {
            0 => {
                Reply::json(429, &json!({"error": {"message": "slow down"}})).with_header("retry-after", "0")
            }
            _ => Reply::chat(json!({"role": "assistant", "content": "A tale."})),
        }
    });
    let url = format!("{}/v1", server.address);
    let line = ["texts", "x.yaml", "--provider", "openai", "--endpoint-url", &url, "--model", "local-7b"];
    run(&place, false, &line).expect(0);
    let heard = server.heard();
    assert_eq!((heard.len(), heard[0].line.as_str()), (3, "POST /v1/chat/completions"));
    assert!(heard.iter().all(|heard| heard.json()["model"] == "local-7b"));
    assert!(lines(&place, "tales.jsonl").iter().all(|line| line["by"] == "openai local-7b"));
    place.run("generate x.yaml -o out --format csv").expect(0);
    let without = run(&place, false, &["texts", "x.yaml", "--provider", "openai"]).expect(2);
    assert!(without.stderr.contains("needs `--endpoint-url URL`"), "{without}");
}

#[test]
fn nothing_in_ruleset_or_answer_decides_where_it_is_written_or_who_is_called() {
    let server = Server::with(vec![told("../../evil.jsonl")]);
    for (file, words) in [
        ("../tales.jsonl", "lies outside the folder tree that may be read"),
        ("/tmp/lookalike-tales.jsonl", "lies outside the folder tree that may be read"),
        ("x.yaml", "cannot keep texts"),
        ("nowhere/tales.jsonl", "cannot be read: no such file"),
    ] {
        let place = Place::new();
        std::fs::create_dir(place.path("in")).unwrap();
        place.write("in/x.yaml", ruleset("fox", "", "").replace("tales.jsonl", file));
        let outcome = run(&place, true, &["texts", "in/x.yaml", "--endpoint-url", &server.address]);
        assert!(matches!(outcome.code, Some(2 | 4)) && outcome.stderr.contains(words), "{file}: {outcome}");
        assert_eq!(place.files("."), ["in"]);
        assert_eq!(place.files("in"), ["x.yaml"]);
    }
    assert_eq!(server.heard().len(), 0);
    // A file that holds something else is not touched.
    let place = Place::with(&ruleset("fox", "", ""));
    place.write("tales.jsonl", "{\"mine\": 1}\n");
    let outcome = texts(&place, &server, &[]).expect(2);
    assert!(outcome.stderr.contains("line 1 of `tales.jsonl` is no text"), "{outcome}");
    assert_eq!(place.read("tales.jsonl"), b"{\"mine\": 1}\n");
    // An endpoint that sends elsewhere is not followed.
    let place = Place::with(&ruleset("fox", "", ""));
    let moved = Server::start({
        let elsewhere = server.address.clone();
        move |_, heard| {
            let path = heard.line.trim_start_matches("POST ");
            Reply::json(307, &json!({})).with_header("location", &format!("{elsewhere}{path}"))
        }
    });
    texts(&place, &moved, &[]).expect(5);
    assert_eq!(server.heard().len(), 0);
}

#[test]
fn without_aws_it_says_what_to_set_up_and_what_it_would_send() {
    let place = Place::with(&ruleset("fox, owl", "", ""));
    let outcome = run(&place, false, &["texts", "x.yaml"]).expect(2);
    assert!(outcome.stderr.lines().count() <= 24, "one screen: {outcome}");
    for wanted in [
        "aws sso login",
        "--region",
        "bedrock:InvokeModel",
        "--provider openai",
        "2 calls to m1",
        "to nobody else",
    ] {
        assert!(outcome.stderr.contains(wanted), "no `{wanted}`: {outcome}");
    }
    assert_eq!(place.files("."), ["x.yaml"]);
    let place = Place::with(super::ORDERS);
    let none = run(&place, false, &["texts", "x.yaml"]).expect(2);
    assert!(none.stderr.contains("has no `texts` to ask for"), "{none}");
}

// ---- shipped rulesets ------------------------------------------------------------------------------------------------

/// Copies a folder with files.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The texts that are kept with the shipped rulesets are exactly those of the stand-in. `LOOKALIKE_UPDATE=1` writes them anew.
#[test]
fn shipped_texts_are_those_of_the_stand_in() {
    let shipped = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rulesets/text");
    let place = Place::new();
    copy(&shipped, &place.path("text"));
    let is_kept = |name: &String| name.ends_with(".jsonl");
    let before: Vec<String> = place.files("text").into_iter().filter(is_kept).collect();
    before.iter().for_each(|name| std::fs::remove_file(place.path("text").join(name)).unwrap());
    let server = stand_in::start();
    let url = format!("{}/v1", server.address);
    for name in ["aws-questions", "prompt-routing"] {
        let path = format!("text/{name}.yaml");
        let line = [
            "texts",
            &path,
            "--provider",
            "openai",
            "--endpoint-url",
            &url,
            "--max-calls",
            "3000",
            "--concurrency",
            "8",
        ];
        run(&place, false, &line).expect(0);
    }
    let after: Vec<String> = place.files("text").into_iter().filter(is_kept).collect();
    let mut bytes = 0;
    for name in &after {
        let made = place.read(&format!("text/{name}"));
        bytes += made.len();
        if std::env::var_os("LOOKALIKE_UPDATE").is_some() {
            std::fs::write(shipped.join(name), &made).unwrap();
        }
        let kept = std::fs::read(shipped.join(name)).unwrap_or_default();
        assert!(kept == made, "{name} is not what the stand-in writes");
    }
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(bytes < 1_000_000, "{bytes} bytes of texts");
}

#[test]
fn a_thousand_conversations_have_the_form_of_nova() {
    let place = Place::new();
    let ruleset = concat!(env!("CARGO_MANIFEST_DIR"), "/rulesets/text/aws-questions.yaml");
    place.outcome(place.command().args(["generate", ruleset, "-o", "out", "--format", "jsonl"])).expect(0);
    let text = String::from_utf8(place.read("out/pairs.jsonl")).unwrap();
    let mut pairs = BTreeSet::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["schemaVersion", "system", "messages"]);
        assert_eq!(row["schemaVersion"], "bedrock-conversation-2024");
        assert!(row["system"][0]["text"].is_string() && row["system"].as_array().unwrap().len() == 1);
        let messages = row["messages"].as_array().unwrap();
        let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["user", "assistant"]);
        let words = |at: usize| {
            let content = messages[at]["content"].as_array().unwrap();
            assert_eq!(content.len(), 1);
            content[0]["text"].as_str().unwrap().to_owned()
        };
        assert!(words(0).len() > 20 && words(1).len() > 20, "{line}");
        pairs.insert((words(0), words(1)));
    }
    assert_eq!(text.lines().count(), 1000);
    assert_eq!(pairs.len(), 1000, "pairs come up twice");
}

/// With a report: its checks make rows with another seed, whose prompts nobody was asked.
#[test]
fn prompts_for_a_router_are_made_and_pass_their_checks() {
    let place = Place::new();
    let ruleset = concat!(env!("CARGO_MANIFEST_DIR"), "/rulesets/text/prompt-routing.yaml");
    let outcome =
        place.outcome(place.command().args(["generate", ruleset, "-o", "out", "--format", "csv"])).expect(0);
    assert!(outcome.stderr.contains("checks passed"), "{outcome}");
    let bytes = place.read("out/prompts.csv");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 600);
    let routes: BTreeSet<(&str, &str)> = rows.iter().map(|row| (&row[2], &row[4])).collect();
    assert_eq!(routes, [("hard", "large"), ("moderate", "medium"), ("simple", "small")].into());
    let prompts: BTreeSet<&str> = rows.iter().map(|row| &row[3]).collect();
    assert!(
        prompts.len() < 600 && prompts.iter().all(|prompt| prompt.ends_with('.')),
        "{} prompts",
        prompts.len()
    );
}
