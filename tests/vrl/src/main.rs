//! Runs the program in the file that is its argument over the events on standard input, one a line,
//! and prints each event then.

use std::{env, fs, io::stdin};

use vrl::{
    compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState},
    value::{Secrets, Value},
};

fn main() {
    let program = fs::read_to_string(env::args().nth(1).expect("a file")).expect("a program");
    let compiled = compile(&program, &vrl::stdlib::all()).expect("it compiles");
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    for event in stdin().lines() {
        let mut event = TargetValue {
            value: serde_json::from_str(&event.expect("a line")).expect("an event"),
            metadata: Value::Object(Default::default()),
            secrets: Secrets::default(),
        };
        let (mut state, timezone) = (RuntimeState::default(), TimeZone::default());
        let mut context = Context::new(&mut event, &mut state, &timezone);
        compiled.program.resolve(&mut context).expect("no error");
        println!("{}", serde_json::to_string(&event.value).expect("JSON"));
    }
}
