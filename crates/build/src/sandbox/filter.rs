//! The filter of system calls: what makes files that a store cannot hold, and what reaches the host's keys.
//!
//! It is a program for the kernel's packet filter machine, one part for each architecture whose programs this kernel
//! runs: set-user-id and set-group-id bits are refused with `EPERM`, extended attributes with `EOPNOTSUPP`, keyrings
//! with `ENOSYS`. Everything else passes.

use nival_sys::confine::Instruction;

/// The calls of one architecture by number.
struct Table {
    architecture: u32,
    /// Calls whose second argument is a mode.
    mode_second: &'static [u32],
    /// Calls whose third argument is a mode.
    mode_third: &'static [u32],
    attributes: &'static [u32],
    keys: &'static [u32],
}

#[cfg(target_arch = "x86_64")]
const TABLES: [Table; 2] = [
    Table {
        architecture: 0xc000_003e,
        mode_second: &[90, 91],
        mode_third: &[268, 452],
        attributes: &[188, 189, 190, 191, 192, 193, 463, 464],
        keys: &[248, 249, 250],
    },
    Table {
        architecture: 0x4000_0003,
        mode_second: &[15, 94],
        mode_third: &[306, 452],
        attributes: &[226, 227, 228, 229, 230, 231, 463, 464],
        keys: &[286, 287, 288],
    },
];

#[cfg(target_arch = "aarch64")]
const TABLES: [Table; 2] = [
    Table {
        architecture: 0xc000_00b7,
        mode_second: &[52],
        mode_third: &[53, 452],
        attributes: &[5, 6, 7, 8, 9, 10, 463, 464],
        keys: &[217, 218, 219],
    },
    Table {
        architecture: 0x4000_0028,
        mode_second: &[15, 94],
        mode_third: &[333, 452],
        attributes: &[226, 227, 228, 229, 230, 231, 463, 464],
        keys: &[309, 310, 311],
    },
];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const TABLES: [Table; 0] = [];

const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_ANY_BIT: u16 = 0x45;
const ANSWER: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
const REFUSE: u32 = 0x0005_0000;
/// Where the call's number, the architecture and the arguments lie in what the filter looks at.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;
/// The bits for set-user-id and set-group-id.
const SET_ID: u32 = 0o6000;
/// Calls of the x32 form, which have other numbers on the same architecture.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
const EOPNOTSUPP: u32 = 95;

fn load(at: u32) -> Instruction {
    Instruction { code: LOAD, if_true: 0, if_false: 0, value: at }
}

fn answer(value: u32) -> Instruction {
    Instruction { code: ANSWER, if_true: 0, if_false: 0, value }
}

/// Skips the next `count` instructions unless what was loaded equals a value.
fn unless_equal(value: u32, count: u8) -> Instruction {
    Instruction { code: IF_EQUAL, if_true: 0, if_false: count, value }
}

/// The whole filter.
pub(super) fn program() -> Vec<Instruction> {
    let mut program = vec![load(ARCHITECTURE)];
    for table in &TABLES {
        let part = part(table);
        // A part is longer than a jump that is taken on a condition can be: the next architecture is tried behind it.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        program.push(Instruction { code: IF_EQUAL, if_true: 1, if_false: 0, value: table.architecture });
        program.push(Instruction { code: 0x05, if_true: 0, if_false: 0, value: length });
        program.extend(part);
    }
    program.push(answer(if TABLES.is_empty() { ALLOW } else { KILL }));
    program
}

fn part(table: &Table) -> Vec<Instruction> {
    let mut part = vec![load(NUMBER)];
    #[cfg(target_arch = "x86_64")]
    part.extend([Instruction { code: 0x35, if_true: 0, if_false: 1, value: X32 }, answer(REFUSE | ENOSYS)]);
    for (calls, argument) in [(table.mode_second, 1), (table.mode_third, 2)] {
        for call in calls {
            part.push(unless_equal(*call, 4));
            part.push(load(ARGUMENTS + 8 * argument));
            part.push(Instruction { code: IF_ANY_BIT, if_true: 0, if_false: 1, value: SET_ID });
            part.push(answer(REFUSE | EPERM));
            part.push(answer(ALLOW));
        }
    }
    for (calls, error) in [(table.attributes, EOPNOTSUPP), (table.keys, ENOSYS)] {
        for call in calls {
            part.push(unless_equal(*call, 1));
            part.push(answer(REFUSE | error));
        }
    }
    part.push(answer(ALLOW));
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers to a call, by running it as the kernel does.
    fn run(architecture: u32, number: u32, arguments: [u32; 3]) -> u32 {
        let program = program();
        let (mut at, mut value) = (0usize, 0u32);
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                LOAD => {
                    value = match step.value {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        other => arguments[((other - ARGUMENTS) / 8) as usize],
                    }
                }
                IF_EQUAL | IF_ANY_BIT | 0x35 => {
                    let holds = match step.code {
                        IF_EQUAL => value == step.value,
                        IF_ANY_BIT => value & step.value != 0,
                        _ => value >= step.value,
                    };
                    at += usize::from(if holds { step.if_true } else { step.if_false });
                }
                0x05 => at += step.value as usize,
                _ => return step.value,
            }
        }
    }

    #[test]
    fn set_id_bits_and_attributes_are_refused() {
        for table in &TABLES {
            let architecture = table.architecture;
            for call in table.mode_second {
                assert_eq!(run(architecture, *call, [0, 0o4755, 0]), REFUSE | EPERM);
                assert_eq!(run(architecture, *call, [0, 0o2755, 0]), REFUSE | EPERM);
                assert_eq!(run(architecture, *call, [0, 0o1755, 0o4755]), ALLOW);
            }
            for call in table.mode_third {
                assert_eq!(run(architecture, *call, [0, 0, 0o6755]), REFUSE | EPERM);
                assert_eq!(run(architecture, *call, [0, 0o6755, 0o755]), ALLOW);
            }
            assert_eq!(run(architecture, table.attributes[0], [0; 3]), REFUSE | EOPNOTSUPP);
            assert_eq!(run(architecture, table.keys[2], [0; 3]), REFUSE | ENOSYS);
            assert_eq!(run(architecture, 1, [0; 3]), ALLOW);
        }
    }

    #[test]
    fn foreign_architecture_is_ended() {
        assert_eq!(run(7, 1, [0; 3]), if TABLES.is_empty() { ALLOW } else { KILL });
    }
}
