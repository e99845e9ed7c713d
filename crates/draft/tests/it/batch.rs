//! Many requests to one provider, over real connections.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use lookalike_draft::{Batch, Cause, Message, Request, Sum, Told};
use serde_json::json;

use super::openai::endpoint;
use super::server::{Heard, Reply, Server};

fn requests(prompts: &[&str]) -> Vec<Request> {
    let request = |prompt: &&str| Request {
        messages: vec![Message::User { text: (*prompt).to_owned(), answers: None }],
        tool: None,
        system: String::new(),
        ..super::request()
    };
    prompts.iter().map(request).collect()
}

/// Answers with what `answer` makes of the conversation's first words and its number of turns.
fn server(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |_, heard: &Heard| {
        let turns = heard.json()["messages"].as_array().unwrap().clone();
        answer(turns[0]["content"].as_str().unwrap(), turns.len())
    })
}

fn chat(text: &str) -> Reply {
    Reply::chat(json!({"role": "assistant", "content": text}))
}

/// Runs a batch in which answers of more than five letters are no good.
fn run(
    server: &Server,
    prompts: &[&str],
    calls: u64,
    tries: u32,
) -> (Sum, BTreeMap<usize, Result<String, String>>) {
    let provider = endpoint(server);
    let batch = Batch { provider: &provider, calls, at_a_time: 1, tries };
    let accept = |_: usize, text: &str| {
        if text.len() <= 5 { Ok(text.to_uppercase()) } else { Err("it is long".into()) }
    };
    let mut all = BTreeMap::new();
    let sum = batch.run(&requests(prompts), &accept, &AtomicBool::new(false), |told: Told| {
        all.insert(told.at, told.text);
        Ok::<(), ()>(())
    });
    (sum.unwrap(), all)
}

#[test]
fn what_is_no_good_is_sent_back_with_the_reason() {
    let server =
        server(|prompt, turns| chat(if prompt == "b" && turns == 1 { "far too long" } else { "good" }));
    let (sum, all) = run(&server, &["a", "b"], 10, 3);
    assert_eq!((sum.calls, sum.left, sum.ended), (3, 0, None));
    assert_eq!(sum.usage.total(), 3 * 18);
    assert!(all.values().all(|text| text.as_deref() == Ok("GOOD")), "{all:?}");
    let again = server.heard()[2].json()["messages"].clone();
    assert_eq!(again[1], json!({"role": "assistant", "content": "far too long"}));
    assert!(again[2]["content"].as_str().unwrap().contains("it is long"), "{again}");
}

#[test]
fn the_limit_of_calls_counts_every_call() {
    let long = server(|_, _| chat("far too long"));
    let (sum, all) = run(&long, &["a", "b"], 3, 2);
    assert_eq!(all, [(0, Err("it is long".to_owned()))].into());
    assert_eq!((sum.calls, sum.left, long.heard().len()), (3, 1, 3));
    assert_eq!(sum.ended.map(|error| error.cause), Some(Cause::Budget));
    let (sum, _) = run(&long, &["a"], 0, 2);
    assert_eq!((sum.calls, sum.left, long.heard().len()), (0, 1, 3));
}

#[test]
fn a_request_that_is_refused_is_one_text_unless_all_are() {
    let no = || Reply::json(400, &json!({"error": {"message": "this is not to be said"}}));
    let picky = server(move |prompt, _| if prompt == "b" { no() } else { chat("good") });
    let (sum, all) = run(&picky, &["a", "b", "c"], 10, 3);
    assert_eq!((sum.left, sum.ended, picky.heard().len()), (0, None, 3));
    assert!(all[&1].as_ref().is_err_and(|why| why.contains("not to be said")), "{all:?}");
    let (sum, all) = run(&picky, &["b", "a"], 10, 3);
    assert_eq!((sum.left, all.len()), (2, 0));
    assert_eq!(sum.ended.map(|error| error.cause), Some(Cause::Refused));
}

#[test]
fn it_ends_when_told_to() {
    let server = server(|_, _| chat("good"));
    let provider = endpoint(&server);
    let batch = Batch { provider: &provider, calls: 10, at_a_time: 1, tries: 1 };
    let stop = AtomicBool::new(false);
    let requests = requests(&["a", "b", "c"]);
    let accept = |_: usize, _: &str| {
        stop.store(true, Ordering::Relaxed);
        Ok("good".to_owned())
    };
    let sum = batch.run(&requests, &accept, &stop, |_| Ok::<(), ()>(())).unwrap();
    assert_eq!((sum.calls, sum.left, sum.ended), (1, 2, None));
    // Or when what came back cannot be kept.
    let go_on = AtomicBool::new(false);
    let failed = batch.run(&requests, &|_, _| Ok("good".to_owned()), &go_on, |_| Err("the disk is full"));
    assert_eq!(failed, Err("the disk is full"));
    assert!(server.heard().len() <= 4, "one more may have been under way");
}
