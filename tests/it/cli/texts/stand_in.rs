//! What stands in for a language model where the texts of shipped rulesets are made: a service on this machine that speaks as
//! a model's does and puts its answers together from what it is asked and from fixed phrases. It knows nothing; whatever is
//! true in an answer was in the question.

use crate::cli::draft::server::{Heard, Reply, Server};

/// A running stand-in.
pub fn start() -> Server {
    Server::start(|_, heard| reply(heard))
}

/// The answer to a request in OpenAI's form.
fn reply(heard: &Heard) -> Reply {
    let body = heard.json();
    let turns = body["messages"].as_array().unwrap();
    let prompt = turns.iter().find(|turn| turn["role"] == "user").unwrap()["content"].as_str().unwrap();
    Reply::chat(serde_json::json!({"role": "assistant", "content": compose(prompt)}))
}

/// The value of a line `Name: value` of a prompt.
fn part<'a>(prompt: &'a str, name: &str) -> Option<&'a str> {
    prompt.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// One of the phrases, always the same for a prompt.
fn pick<'a>(phrases: &[&'a str], prompt: &str) -> &'a str {
    // FNV-1a: short, and nothing hangs on its quality.
    let hash = prompt.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    phrases[(hash % phrases.len() as u64) as usize]
}

/// The text for a prompt of one of the shipped rulesets.
pub fn compose(prompt: &str) -> String {
    if let Some(task) = part(prompt, "Task") {
        return of_task(task).replace("{subject}", part(prompt, "Subject").unwrap());
    }
    let (service, reader) = (part(prompt, "Service").unwrap(), part(prompt, "Reader").unwrap());
    let form = match part(prompt, "Topic") {
        Some(topic) => pick(question(reader), prompt).replace("{topic}", topic),
        None => pick(answer(reader), prompt).replace("{fact}", part(prompt, "Fact").unwrap()),
    };
    form.replace("{service}", service)
}

fn question(reader: &str) -> &'static [&'static str] {
    match reader.split(' ').nth(1) {
        Some("student") => &[
            "I am new to {service}. Can you tell me {topic}?",
            "I am learning about {service} and would like to understand {topic}. Can you explain?",
            "Studying {service}, I came across a question: can you tell me {topic}?",
        ],
        Some("engineer") => &[
            "Quick question about {service}: do you know {topic}?",
            "I am working with {service} right now and need to know {topic}.",
            "Working on {service} at the moment. Can you tell me {topic}?",
        ],
        Some("architect") => &[
            "We are considering {service}. Can you tell us {topic}?",
            "I am reviewing a design that uses {service} and have to know {topic}.",
            "Our design relies on {service}. Could you tell me {topic}?",
        ],
        _ => &[
            "My team uses {service}. Can you tell me in plain words {topic}?",
            "Somebody asked me about {service}, and I did not know {topic}. Can you help?",
            "I have to explain {service} to others. Can you tell me {topic}?",
        ],
    }
}

fn answer(reader: &str) -> &'static [&'static str] {
    match reader.split(' ').nth(1) {
        Some("student") => &[
            "{fact} The documentation of {service} has the details.",
            "Good question. {fact}",
            "{fact} It is worth trying this out with {service} yourself.",
        ],
        Some("engineer") => &["{fact}", "In short: {fact}", "For reference: {fact}"],
        Some("architect") => &[
            "{fact} Take this into account in the design.",
            "{fact} Check the current documentation of {service} before you decide.",
            "For your review: {fact}",
        ],
        _ => &[
            "Put simply: {fact}",
            "The short answer: {fact}",
            "{fact} Your team will find the details in the documentation of {service}.",
        ],
    }
}

fn of_task(task: &str) -> &'static str {
    match task {
        "explain" => "Explain {subject} in one sentence.",
        "list" => "List three things that a beginner should know about {subject}.",
        "compare" => {
            "Compare two ways to approach {subject}, with a table of their advantages and drawbacks, and say when you would \
             choose which."
        }
        "plan" => {
            "Write a plan of five steps for somebody who starts with {subject}. Give the reason for each step."
        }
        "strategy" => {
            "You are responsible for {subject} in an organization of 500 people, with half of last year's budget. Propose a \
             strategy, estimate its costs and risks, state your assumptions, and say how you would measure success after 90 days."
        }
        _ => {
            "Two experts disagree about {subject}. Set out the strongest case for each side, find the hidden assumption on \
             which they differ, and design a test that would settle the matter."
        }
    }
}
