//! The dialogue, and its recordings.

use std::path::Path;
use std::sync::Mutex;

use lookalike_draft::{
    Answer, Call, Cause, Dialogue, Error, Judge, Limits, Message, Outcome, Provider, Recorder, Request,
    Secrets, Stop, Task, Usage, Verdict,
};
use serde_json::{Value, json};

use super::request;

const SECRET: &str = "marker-of-a-secret";

/// A provider that says what it was told to, one after the other, the last again and again.
struct Parrot {
    answers: Vec<Result<Answer, Error>>,
    asked: &'static Mutex<Vec<Request>>,
    secrets: Secrets,
}

impl Provider for Parrot {
    fn name(&self) -> &'static str {
        "parrot"
    }
    fn place(&self) -> String {
        "a cage".into()
    }
    fn ask(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Answer, Error> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.clone());
        heard(1);
        self.answers[(asked.len() - 1).min(self.answers.len() - 1)].clone()
    }
    fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// Counts the letters `x`.
struct Crosses;

impl Judge for Crosses {
    fn judge(&mut self, ruleset: &str) -> Verdict {
        let errors = ruleset.matches('x').count();
        Verdict { errors, report: format!("{errors} crosses in {ruleset}") }
    }
}

fn call(input: Value) -> Result<Answer, Error> {
    let call = Call { id: "c".into(), name: "write_ruleset".into(), input };
    Ok(Answer {
        text: String::new(),
        call: Some(call),
        stop: Stop::End,
        usage: Usage { input_tokens: 50, output_tokens: 10 },
    })
}

fn words(text: &str, stop: Stop) -> Result<Answer, Error> {
    Ok(Answer { text: text.into(), call: None, stop, usage: Usage { input_tokens: 50, output_tokens: 10 } })
}

const LIMITS: Limits = Limits { rounds: 4, tokens: 100_000, answer_tokens: 1000 };

fn run(
    folder: &Path,
    limits: Limits,
    answers: Option<Vec<Result<Answer, Error>>>,
) -> (Result<Outcome, Error>, Vec<Request>) {
    let asked: &'static Mutex<Vec<Request>> = Box::leak(Box::default());
    let connect = answers.map(|answers| {
        Box::new(move || {
            let mut secrets = Secrets::default();
            secrets.add(SECRET);
            Ok(Box::new(Parrot { answers: answers.clone(), asked, secrets }) as Box<dyn Provider>)
        }) as lookalike_draft::Connect
    });
    let recorder = Recorder::new(folder, connect);
    let Request { model, system, tool, .. } = request();
    let task = Task { model, system, words: format!("Orders, and my key is {SECRET}."), tool };
    let dialogue = Dialogue { task: &task, limits, recorder: &recorder };
    let outcome = dialogue.run(&mut Crosses, &mut |_| {});
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

#[test]
fn mistakes_go_back_until_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let answers =
        vec![call(json!({"a": "xxx"})), call(json!({"ruleset": {"a": "x"}})), call(json!({"a": "ok"}))];
    let (outcome, asked) = run(folder.path(), LIMITS, Some(answers));
    let outcome = outcome.unwrap();
    assert_eq!((outcome.ruleset.as_deref(), outcome.verdict.errors, outcome.rounds), (Some("a: ok\n"), 0, 3));
    assert_eq!(outcome.usage, Usage { input_tokens: 150, output_tokens: 30 });
    assert!(outcome.ended.is_none());
    assert_eq!(asked[0].messages.len(), 1);
    // Words, last answer, what is wrong with it; nothing older.
    assert_eq!(asked[2].messages.len(), 3);
    let Message::User { text, answers } = &asked[2].messages[2] else { panic!("{asked:?}") };
    assert!(text.contains("1 crosses in a: x\n") && answers.as_deref() == Some("c"), "{text}");

    // Again, elsewhere, offline: the same, and nobody is asked.
    let elsewhere = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains(SECRET) && text.contains("my key is [hidden]"), "{text}");
        std::fs::copy(entry.path(), elsewhere.path().join(entry.file_name())).unwrap();
    }
    let (again, asked) = run(elsewhere.path(), LIMITS, None);
    assert_eq!((again.unwrap().ruleset, asked.len()), (outcome.ruleset, 0));
}

#[test]
fn the_best_draft_is_kept_when_rounds_run_out() {
    let folder = tempfile::tempdir().unwrap();
    let answers = vec![call(json!({"a": "xx"})), call(json!({"a": "x"})), call(json!({"a": "xxx"}))];
    let (outcome, asked) = run(folder.path(), LIMITS, Some(answers));
    let outcome = outcome.unwrap();
    assert_eq!((outcome.ruleset.as_deref(), outcome.verdict.errors, asked.len()), (Some("a: x\n"), 1, 4));
    assert_eq!(outcome.ended.unwrap().cause, Cause::Budget);
}

#[test]
fn answers_that_are_no_ruleset_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let answers = vec![
        words("I would rather not.", Stop::End),
        words("lookalike: 1\na: ", Stop::MaxTokens),
        words("", Stop::TooLong),
        words("```yaml\nlookalike: 1\n```", Stop::End),
    ];
    let (outcome, asked) = run(folder.path(), LIMITS, Some(answers));
    assert_eq!(outcome.unwrap().ruleset.as_deref(), Some("lookalike: 1\n"));
    let last = |request: &Request| match request.messages.last() {
        Some(Message::User { text, .. }) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(last(&asked[1]).contains("there is no ruleset in the answer"));
    assert!(last(&asked[2]).contains("cut off after 1000 tokens"));
    assert!(last(&asked[3]).contains("longer than 262144 bytes") && asked[3].messages.len() == 1);
}

#[test]
fn tokens_are_a_hard_limit() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(folder.path(), Limits { tokens: 500, ..LIMITS }, Some(vec![call(json!({}))]));
    assert_eq!((none.0.unwrap_err().cause, none.1.len()), (Cause::Budget, 0));
    let (outcome, asked) =
        run(folder.path(), Limits { tokens: 1200, ..LIMITS }, Some(vec![call(json!({"a": "x"}))]));
    let outcome = outcome.unwrap();
    assert_eq!((outcome.ended.unwrap().cause, outcome.ruleset.as_deref()), (Cause::Budget, Some("a: x\n")));
    assert!(
        !asked.is_empty()
            && asked.iter().all(|request| request.tokens() + u64::from(request.max_tokens) <= 1200)
    );
}

#[test]
fn a_later_failure_leaves_the_best_draft() {
    let folder = tempfile::tempdir().unwrap();
    let answers = vec![call(json!({"a": "x"})), Err(Error::new(Cause::Throttled, "slow down"))];
    let outcome = run(folder.path(), LIMITS, Some(answers)).0.unwrap();
    assert_eq!(
        (outcome.ended.unwrap().cause, outcome.ruleset.as_deref()),
        (Cause::Throttled, Some("a: x\n"))
    );
    let filtered = run(&folder.path().join("b"), LIMITS, Some(vec![words("", Stop::Filtered)]));
    assert_eq!(filtered.0.unwrap_err().cause, Cause::Refused);
}

#[test]
fn offline_fails_clearly_and_damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(folder.path(), LIMITS, None).0.unwrap_err();
    assert_eq!(error.cause, Cause::NotRecorded);
    assert!(
        error.message.contains(folder.path().to_str().unwrap()) && error.help[1].contains("--offline"),
        "{error:?}"
    );
    run(folder.path(), LIMITS, Some(vec![call(json!({"a": "ok"}))])).0.unwrap();
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    for text in [
        "",
        "{}",
        r#"{"recording": 9, "answer": {"text": "", "stop": "end", "usage": {"input_tokens": 1, "output_tokens": 1}}}"#,
    ] {
        std::fs::write(&file, text).unwrap();
        let error = run(folder.path(), LIMITS, None).0.unwrap_err();
        assert!(error.cause == Cause::File && error.help[0].contains("remove"), "{error:?}");
    }
}
