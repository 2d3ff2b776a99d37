use std::fs;

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pattern_is_accepted_or_rejected(pattern in r"[a-z*?\[\]{}!./-]{0,12}") {
        if let Ok(mut files) = Files::new(&[format!("/nowhere/{pattern}").into()], Vec::new(), HASH) {
            files.scan(Mode::Follow);
        }
    }

    #[test]
    fn each_line_comes_once_under_its_own_id_whatever_happens_to_files(
        most_open in 1..3_usize,
        steps in proptest::collection::vec((0..6_u8, 1..40_u32), 1..40)
    ) {
        let mut folder = Folder::new("app.log*");
        folder.files.set_most_open(most_open);
        let mut written = 0;
        let mut renamed = 0;
        let mut taken = Vec::new();
        let mut pending = String::new();
        for (step, count) in steps {
            match step {
                0..=2 => {
                    for _ in 0..count {
                        pending.push_str(&format!("{{\"n\":{written}}}\n"));
                        written += 1;
                    }
                    // the end of a line is written later
                    let cut = pending.len() - usize::from(step == 2) * 3;
                    let late = pending.split_off(cut);
                    folder.append("app.log", &pending);
                    pending = late;
                }
                3 => {
                    // the writer completes its line first
                    folder.append("app.log", &std::mem::take(&mut pending));
                    renamed += 1;
                    if folder.path("app.log").exists() {
                        fs::rename(folder.path("app.log"), folder.path(&format!("app.log.{renamed}"))).unwrap();
                    }
                }
                4 => {
                    folder.restart("app.log*");
                    folder.files.set_most_open(most_open);
                }
                _ => taken.extend(folder.take()),
            }
        }
        folder.append("app.log", &pending);
        taken.extend(folder.take());
        let mut numbers: Vec<u32> = taken
            .iter()
            .map(|line| line[5..line.len() - 1].parse().unwrap())
            .collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (0..written).collect::<Vec<_>>());
    }
}
