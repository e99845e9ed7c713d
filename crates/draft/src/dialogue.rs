use crate::{Answer, Cause, Error, Message, Recorder, Request, Stop, Tool, Usage, yaml};

/// Says whether a ruleset is good. The compiler does, not trust.
pub trait Judge {
    /// Looks at a ruleset, given as YAML.
    fn judge(&mut self, ruleset: &str) -> Verdict;
}

/// What a judge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many mistakes there are; the ruleset is accepted with none.
    pub errors: usize,
    /// All of them in words, for the model and the user.
    pub report: String,
}

/// What is wanted of the model.
#[derive(Clone, Debug)]
pub struct Task {
    /// Id of the model, or of an inference profile.
    pub model: String,
    /// Who the model is, the rules, the language.
    pub system: String,
    /// What the user wants.
    pub words: String,
    /// The form of the answer. Without a tool it is asked for as YAML in words, which keeps comments.
    pub tool: Option<Tool>,
}

/// How far a dialogue may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How often the model is asked at most.
    pub rounds: u32,
    /// Tokens of all requests and answers together, at most.
    pub tokens: u64,
    /// Tokens of one answer, at most.
    pub answer_tokens: u32,
}

/// What happens in a dialogue, for those who watch.
#[derive(Debug)]
pub enum Event<'a> {
    /// The model is asked.
    Asked {
        /// Which round, from 1.
        round: u32,
        /// Tokens of the request, about.
        tokens: u64,
    },
    /// So many bytes of the answer have come.
    Heard(usize),
    /// The answer is complete.
    Answered {
        /// What it took.
        usage: Usage,
        /// Whether it is a recording.
        is_replay: bool,
    },
    /// The judge has looked at it.
    Judged(&'a Verdict),
}

/// How a dialogue ended.
#[derive(Debug)]
pub struct Outcome {
    /// The ruleset with the fewest mistakes; none when no answer held one.
    pub ruleset: Option<String>,
    /// What the judge said of it, or of the last answer.
    pub verdict: Verdict,
    /// How often the model was asked.
    pub rounds: u32,
    /// What all answers took; recordings count as they did when they were made.
    pub usage: Usage,
    /// Why the dialogue ended before the judge was content: the limit of rounds or tokens, or a failure.
    pub ended: Option<Error>,
}

/// A dialogue in which a model writes a ruleset: asked, judged, told what is wrong, asked again.
pub struct Dialogue<'a> {
    /// What is wanted.
    pub task: &'a Task,
    /// How far it may go.
    pub limits: Limits,
    /// Who asks.
    pub recorder: &'a Recorder,
}

/// At most this much of what a judge says goes back to the model, in bytes: the first mistakes are the causes.
const MAX_REPORT_BYTES: usize = 16 * 1024;

impl Dialogue<'_> {
    /// The first request, which is also the least that the dialogue sends.
    pub fn opening(&self) -> Request {
        self.request(vec![Message::User { text: self.task.words.clone(), answers: None }])
    }

    /// About how many tokens the dialogue takes: if the first answer is good, and if every round is used.
    pub fn estimate(&self) -> (Usage, Usage) {
        let opening = self.opening().tokens();
        let answer = u64::from(self.limits.answer_tokens);
        let more = u64::from(self.limits.rounds.max(1)) - 1;
        let again = opening + answer + (MAX_REPORT_BYTES as u64).div_ceil(4);
        let least = Usage { input_tokens: opening, output_tokens: answer };
        let mut most = Usage { input_tokens: opening + more * again, output_tokens: (1 + more) * answer };
        if most.total() > self.limits.tokens {
            // The budget ends it. Answers are the dearer part, so they are the part that is kept.
            most.output_tokens = most.output_tokens.min(self.limits.tokens);
            most.input_tokens = self.limits.tokens - most.output_tokens;
        }
        (least, most)
    }

    /// Runs the dialogue.
    ///
    /// # Errors
    /// When not even the first answer can be had. Later failures are part of the outcome, beside the best ruleset so far.
    pub fn run(&self, judge: &mut dyn Judge, watch: &mut dyn FnMut(Event<'_>)) -> Result<Outcome, Error> {
        let mut request = self.opening();
        let verdict = Verdict { errors: usize::MAX, report: String::new() };
        let mut outcome = Outcome { ruleset: None, verdict, rounds: 0, usage: Usage::default(), ended: None };
        let rounds = self.limits.rounds.max(1);
        while outcome.rounds < rounds {
            let answer = match self.ask(&mut request, &outcome, watch) {
                Ok(answer) => answer,
                Err(error) if outcome.rounds == 0 => return Err(error),
                Err(error) => {
                    outcome.ended = Some(error);
                    return Ok(outcome);
                }
            };
            outcome.rounds += 1;
            outcome.usage += answer.usage;
            let verdict = match ruleset_of(&answer, request.max_tokens) {
                Ok(ruleset) => {
                    let verdict = judge.judge(&ruleset);
                    if outcome.ruleset.is_none() || verdict.errors < outcome.verdict.errors {
                        outcome.ruleset = Some(ruleset);
                        outcome.verdict = verdict.clone();
                    }
                    verdict
                }
                Err(report) => {
                    let verdict = Verdict { errors: 1, report };
                    if outcome.ruleset.is_none() {
                        outcome.verdict = verdict.clone();
                    }
                    verdict
                }
            };
            watch(Event::Judged(&verdict));
            if verdict.errors == 0 {
                return Ok(outcome);
            }
            request = self.request(self.reply(&answer, &verdict));
        }
        outcome.ended = Some(
            Error::new(
                Cause::Budget,
                format!("{rounds} rounds were not enough for a ruleset without mistakes"),
            )
            .help("say more with `--max-rounds`, describe the data in more detail, or choose another model"),
        );
        Ok(outcome)
    }

    fn request(&self, messages: Vec<Message>) -> Request {
        Request {
            model: self.task.model.clone(),
            system: self.task.system.clone(),
            messages,
            tool: self.task.tool.clone(),
            max_tokens: self.limits.answer_tokens,
            temperature: None,
        }
    }

    fn ask(
        &self,
        request: &mut Request,
        outcome: &Outcome,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Answer, Error> {
        let asked = request.tokens();
        let left = self.limits.tokens.saturating_sub(outcome.usage.total());
        // An answer with less room than this is no ruleset.
        let least = u64::from(self.limits.answer_tokens.min(1000));
        if asked + least > left {
            return Err(Error::new(
                Cause::Budget,
                format!(
                    "the next request has about {asked} tokens, and {left} of {} are left",
                    self.limits.tokens
                ),
            )
            .help("say more with `--max-tokens`"));
        }
        let room = u32::try_from(left - asked).unwrap_or(u32::MAX);
        request.max_tokens = self.limits.answer_tokens.min(room);
        watch(Event::Asked { round: outcome.rounds + 1, tokens: asked });
        let recording = self.recorder.ask(request, &mut |bytes| watch(Event::Heard(bytes)))?;
        let Answer { usage, .. } = recording.answer;
        watch(Event::Answered { usage, is_replay: recording.is_replay });
        if recording.answer.stop == Stop::Filtered {
            return Err(Error::new(
                Cause::Refused,
                "the service held the answer back: a guardrail or a filter of contents",
            )
            .help("say it in other words, or choose another model"));
        }
        Ok(recording.answer)
    }

    /// The conversation after an answer with mistakes: what the user wants, the answer, and what is wrong with it. Older
    /// answers are left out: they cost tokens and teach nothing.
    fn reply(&self, answer: &Answer, verdict: &Verdict) -> Vec<Message> {
        let report = cut(&verdict.report, MAX_REPORT_BYTES);
        let wanted = match &self.task.tool {
            Some(tool) => format!("Call `{}` again with the whole ruleset", tool.name),
            None => "Give the whole ruleset again in a ```yaml block".to_owned(),
        };
        let text =
            format!("The ruleset cannot be used yet. {wanted}, mended; change nothing else.\n\n{report}");
        if answer.text.trim().is_empty() && answer.call.is_none() {
            let text = format!("{}\n\n{text}", self.task.words);
            return vec![Message::User { text, answers: None }];
        }
        vec![
            Message::User { text: self.task.words.clone(), answers: None },
            Message::Assistant { text: answer.text.clone(), call: answer.call.clone() },
            Message::User { text, answers: answer.call.as_ref().map(|call| call.id.clone()) },
        ]
    }
}

/// The ruleset in an answer, as YAML; what to tell the model if there is none.
fn ruleset_of(answer: &Answer, max_tokens: u32) -> Result<String, String> {
    match answer.stop {
        Stop::TooLong => {
            return Err(format!(
                "the answer was longer than {} bytes and was thrown away: write a shorter ruleset",
                crate::MAX_ANSWER_BYTES
            ));
        }
        Stop::MaxTokens => {
            return Err(format!("the answer was cut off after {max_tokens} tokens: write a shorter ruleset"));
        }
        Stop::End | Stop::Filtered => {}
    }
    if let Some(call) = &answer.call {
        // Some models put what is wanted under one more key.
        let input = match call.input.as_object() {
            Some(object) if object.len() == 1 && object.contains_key("ruleset") => &object["ruleset"],
            _ => &call.input,
        };
        return match input {
            serde_json::Value::Object(_) => Ok(yaml::from_json(input)),
            serde_json::Value::String(text) => Ok(with_newline(text)),
            _ => Err("the input of the tool is no ruleset: expected a mapping with `lookalike: 1`".into()),
        };
    }
    from_words(&answer.text).map(with_newline).ok_or_else(|| {
        "there is no ruleset in the answer: expected one mapping that begins with `lookalike: 1`, and nothing else".into()
    })
}

/// The ruleset in an answer of words: the first fenced block that looks like one, else everything from its first line.
fn from_words(text: &str) -> Option<&str> {
    let is_ruleset = |block: &str| {
        let mut lines = block.lines().map(|line| line.trim_start_matches(['{', ' ', '"']));
        lines.any(|line| line.starts_with("lookalike"))
    };
    let mut rest = text;
    let mut open = false;
    while let Some(at) = rest.find("```") {
        let after = &rest[at + 3..];
        if open {
            open = false;
            rest = after;
            continue;
        }
        let Some(start) = after.find('\n') else { break };
        let body = &after[start + 1..];
        let end = body.find("\n```").map_or(body.len(), |end| end + 1);
        if is_ruleset(&body[..end]) {
            return Some(&body[..end]);
        }
        open = true;
        rest = body;
    }
    let at = text.starts_with("lookalike:").then_some(0).or_else(|| Some(text.find("\nlookalike:")? + 1))?;
    Some(&text[at..])
}

fn with_newline(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// The first lines of a text, up to so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}\n(and more)", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruleset_is_found_among_words() {
        let ruleset = "lookalike: 1\ntables: {}\n";
        for text in [
            format!("Here it is:\n```yaml\n{ruleset}```\nI hope so."),
            format!("```\nls -l\n```\nand\n```yaml\n{ruleset}```"),
            format!("```yaml\n{ruleset}"),
            format!("Sure!\n{ruleset}"),
            ruleset.to_owned(),
        ] {
            assert_eq!(from_words(&text).map(with_newline).as_deref(), Some(ruleset), "{text}");
        }
        assert_eq!(from_words("```json\n{\"lookalike\": 1}\n```"), Some("{\"lookalike\": 1}\n"));
        for text in ["", "I cannot do that.", "```yaml\na: 1\n```", "```"] {
            assert_eq!(from_words(text), None, "{text}");
        }
    }

    #[test]
    fn reports_are_cut_at_lines() {
        assert_eq!(cut("ab\ncd\n", 100), "ab\ncd\n");
        assert_eq!(cut("ab\ncdé\n", 6), "ab\n(and more)");
        assert_eq!(cut("éé", 3), "é\n(and more)");
    }
}
