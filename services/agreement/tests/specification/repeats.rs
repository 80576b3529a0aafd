//! Property of every sequence of commands: what was accepted, asked again, changes nothing.

use crate::world::*;
use concord_agreement::party::PartyCommand;
use concord_events::agreement::{Changes, Register};
use concord_kernel::party::PartyKind;
use jiff::civil::date;
use proptest::prelude::*;

/// Everything that can be asked in the story, with small variations, on a day.
fn anything() -> impl Strategy<Value = Order> {
    let days = proptest::sample::select(vec![
        date(2013, 3, 20),
        JUNE,
        date(2014, 1, 1),
        date(2016, 3, 31),
        date(2016, 4, 20),
        date(2017, 1, 1),
    ]);
    let word = || prop_oneof![Just("x"), Just("y")];
    let digit = || prop_oneof![Just('e'), Just('f')];
    let code = || proptest::sample::select(vec![works(), university(), group(), bank(), unknown()]);
    let version = 2..4_u32;
    let order = prop_oneof![
        Just(draft(contract())),
        code().prop_map(|code| sign(&code, JUNE)),
        word().prop_map(cancel),
        word().prop_map(|cause| suspend(cause, JUNE)),
        word().prop_map(|by| resume(by, JUNE)),
        Just(renew_on(JUNE)),
        Just(renew(date(2016, 4, 20), date(2018, 1, 1), JUNE)),
        Just(complete(JUNE)),
        Just(terminate(date(2017, 1, 1), JUNE)),
        Just(terminate(date(2016, 1, 1), JUNE)),
        Just(propose(retitled(), JUNE)),
        Just(propose(ending(date(2017, 6, 1)), JUNE)),
        Just(propose(
            Changes { obligations: Some(vec![obligation(1), obligation(2)]), ..Changes::default() },
            JUNE,
        )),
        (version.clone(), code()).prop_map(|(version, code)| sign_amendment(version, &code, JUNE)),
        (version, word()).prop_map(|(version, reason)| abandon(version, reason, JUNE)),
        (code(), code()).prop_map(|(party, successor)| succeed(&party, &successor, JUNE)),
        (1..3_u32, digit()).prop_map(|(number, digit)| fulfil(number, digit, JUNE)),
        digit().prop_map(|digit| minute(digit, JUNE)),
        (1..3_u32, digit()).prop_map(|(meeting, digit)| close(meeting, 1, digit, JUNE)),
        word().prop_map(|registrar| submit(registrar, JUNE)),
        (0..3_i64).prop_map(|income| register(income * 500_000, JUNE)),
        word().prop_map(|reason| refuse(reason, JUNE)),
        word().prop_map(|reason| revoke(reason, JUNE)),
        (code(), code()).prop_map(|(code, into)| merge(&code, &into, JUNE)),
        code().prop_map(|code| dissolve(&code, JUNE)),
        (code(), word()).prop_map(|(code, name)| party(
            JUNE,
            &code,
            PartyCommand::Rename { name: name.to_owned() }
        )),
        code().prop_map(|code| record(&code, PartyKind::Enterprise)),
        code().prop_map(|code| {
            party(JUNE, &code, PartyCommand::EnterRegister { register: Register::KeyEnterprise })
        }),
        code().prop_map(|code| {
            party(JUNE, &code, PartyCommand::LeaveRegister { register: Register::KeyEnterprise })
        }),
    ];
    (order, days).prop_map(|(order, day)| order.on(day))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// A signature again is refused, for no party signs twice; everything else again changes nothing.
    #[test]
    fn the_same_command_again_changes_nothing(
        start in proptest::sample::select(vec![
            "absent", "drafted", "partially_signed", "not_begun", "fulfilled", "amending", "suspended",
        ]),
        orders in proptest::collection::vec(anything(), 1..30),
    ) {
        let (mut world, _) = story(start);
        for order in orders {
            let Ok(events) = world.execute(&order) else { continue };
            let signed = events.iter().any(|event| matches!(name(event), "AgreementSigned" | "AmendmentSigned"));
            let again = world.outcome(&order);
            if signed {
                prop_assert_eq!(again, "ALREADY_SIGNED", "{:?} again", order.command);
            } else {
                prop_assert_eq!(again, "unchanged", "{:?} again", order.command);
            }
        }
    }
}
