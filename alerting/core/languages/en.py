"""English: every sentence that leaves for a phone, SMS words in GSM-7 only. Data only: see `base`.

Lines for the spot: as in the Chinese pack, which names their sources.
"""

from alerting.core.languages.base import Acts, Carrier, DrillEnd, Household, Pack, Piece, Probing, Speech, Sums, Words
from alerting.core.languages.latin import LATIN
from alerting.core.languages.surfaces import (
    Cards,
    Chat,
    Contact,
    Guides,
    PhoneGuide,
    RatingPage,
    Watching,
    WorkerPage,
)
from devices.taxonomy import TAXONOMY, SignalClass

_GUIDANCE = {
    "fire": "Get people out, use no lift",
    "gas": "Open windows, shut the valve, touch no switch",
    "gas.co": "Air the rooms, get people outside",
    "charge": "Cut the power first, use no water",
    "charge.leakage": "Touch nothing, cut the power",
    "charge.wire": "Cut the power, then take the wire down",
    "electric": "Cut the power before you look",
    "electric.leakage": "Touch nothing, cut the power",
    "env.overheat": "Look for the heat source, bring an extinguisher",
    "ebike.in_elevator": "Have it taken out, do not ride along",
    "ebike.indoor": "Have it taken outside, no charging indoors",
    "object": "Keep away from the wall, look up",
    "intrusion": "Go in pairs, do not chase",
    "person.fall": "Do not move the person, call an ambulance if hurt",
    "person.sos": "Knock and call out, then phone",
    "water.leak": "Shut the valve, mind live wires",
    "elevator.trapped": "Calm them, do not force the doors",
    "passage.blocked": "Have it cleared and kept clear",
    "lane.blocked": "Have the vehicle moved, keep the lane clear",
    "exit.blocked": "Have it cleared and kept clear",
    "water.pressure_low": "Check pumps and valves",
    "detector.muted": "Patrol until it works again",
    "detector.isolated": "Patrol until it works again",
}

_WORDS = Words(
    fire="FIRE",
    fire_within="fire",
    loud=True,
    confirmed="{head} CONFIRMED",
    spreading="{head} SPREADING",
    confirmed_spreading="{head} CONFIRMED/SPREADING",
    first_out="first: {place}",
    spread_to="spreading: {place}",
    still_charging="Still charging",
    drill="DRILL",
    test="TEST",
    maybe_test="MAYBE A TEST",
    late="LATE SIGNAL",
    mark_end=": ",
    unrecorded="not recorded",
    somebody="A colleague",
    place_units_kept=30,
    who_units_max=30,
    first_units_max=18,
    rest_units_max=40,
    advice="Call {number} if on fire",
    advice_app="Call {number} at once if it is on fire.",
    direct="dial {number}",
    direct_act="DIAL {number}. {act}",
    household_confirms=("Household confirms fire or asks for help", "Household confirms or asks for help"),
    household_denies=("Household says no fire", "Household says all is well"),
    power_cut="Power cut remotely",
    power_live="Power NOT cut: cut it by hand",
    app_ask="Please confirm whether you are going",
    acts=Acts(
        reply="Reply 1 if going",
        call="Answer the call, press 1",
        app="Confirm in the app",
        link="Confirm: {link}",
        go={
            SignalClass.A: "Go now",
            SignalClass.S: "Please go and check",
            SignalClass.T: "Please arrange a repair",
            SignalClass.I: "For your information",
        },
        find="Find the place now",
    ),
    page=(
        Piece("{mark}{head} at "),
        Piece("{place}"),
        Piece(": {sensor}", drop=6),
        Piece(", {aside}", drop=10),
        Piece("{aside_rest}", drop=6),
        Piece(", {time}."),
        Piece(" {charging}.", drop=9),
        Piece(" {live}.", drop=8),
        Piece(" {power}.", drop=2),
        Piece(" {household}.", drop=7),
        Piece(" No answer for {waited} min: {direct}."),
        Piece(" No answer for {minutes} min.", drop=5),
        Piece(" {act}."),
        Piece(" {advice}.", drop=4),
        Piece(" {guidance}.", drop=1),
        Piece(" {link}", drop=3),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    update=(
        Piece("{mark}{who} is going: {hazard} at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" {live}.", drop=3),
        Piece(" {power}.", drop=1),
        Piece(" You need not go.", drop=2),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    all_clear=(
        Piece("{mark}ALL CLEAR: {hazard} at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" No need to go.", drop=2),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    command=(
        Piece("{mark}Power NOT cut: cut it by hand at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    app_title=(Piece("{mark}{head} at "), Piece("{place}")),
    app_page=(
        Piece("Signal: {sensor}, "),
        Piece("{aside_whole}, "),
        Piece("{time}."),
        Piece(" {charging}."),
        Piece(" {live}."),
        Piece(" {power}."),
        Piece(" {household}."),
        Piece(" No answer for {waited} min: {direct}."),
        Piece(" No answer for {minutes} min."),
        Piece(" {act}."),
        Piece(" {advice}"),
        Piece(" {guidance}."),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    app_update=(
        Piece("{who} is going."),
        Piece(" {live}."),
        Piece(" {power}."),
        Piece(" Alarm of {time}; you need not go."),
        Piece(" Ref {reference}"),
    ),
    app_all_clear=(Piece("All clear."), Piece(" Alarm of {time}; no need to go."), Piece(" Ref {reference}")),
    app_command=(Piece("Power NOT cut: cut it by hand."), Piece(" Alarm of {time}."), Piece(" Ref {reference}")),
    ellipsis="...",
    unplaced=("unregistered place, device ", ""),
    unplaced_spoken="unregistered place, device ending {ending}",
    unplaced_silent="unregistered place",
    unspeakable="see the message for the place",
    speech=Speech(
        mark="{mark}. ",
        head="{head}. ",
        place="{place}. ",
        place_in_full="In full: {place}. ",
        sensor="Signal: {sensor}. ",
        minutes="No answer for {minutes} minutes. ",
        direct="Dial {number} yourself. ",
        household="{household}. ",
        power="{power}. ",
        live="{live}. ",
        command="The power was not cut. Cut it by hand. ",
        update="{who} is going. You need not go. ",
        all_clear="All clear. No need to go. ",
        unrecorded="This alarm is not recorded yet. ",
        guidance="{guidance}. ",
        keys="Press one if you are going, two if you cannot, three to hear it again.",
        keys_told="Press three to hear it again.",
        recorded="Recorded. {guidance}Take care.",
        recorded_fire="Recorded. {guidance}Take care. If it is on fire, call {number} at once.",
        recorded_drill="Recorded. This is a drill.",
        recorded_told="No need to go. Thank you.",
        declined="Passed on to the next person. Thank you.",
        declined_told="No need to go. Thank you.",
        missed="Not confirmed. We will call again.",
        missed_told="End of message. Goodbye.",
        wait="One moment, please.",
        standing="Alarm.",
    ),
)

_TOLD = (
    Piece("Fire watch: ", drop=1),
    Piece("your home ", drop=2),
    Piece("{place}"),
    Piece(", {time} {hazard}: {result}."),
)

_HOUSEHOLD = Household(
    say="Community fire watch. At the home you registered, {place}: {hazard}. {advice}",
    advice=(
        "If it burns, leave now and call {number}. If not, check carefully.",
        "Touch no switch. Go outside. In danger, call {number}.",
        "In danger, leave now and call {number}. If not, check carefully.",
    ),
    keys=(
        "Press one for fire or help, two for no fire, three to hear it again.",
        "Press one for a smell or help, two if all is well, three to hear it again.",
        "Press one for danger or help, two if all is well, three to hear it again.",
    ),
    recorded="The people on duty are told. Go to safety and call {number}.",
    declined="Noted. Somebody will still come and look.",
    missed="No key was pressed. Somebody will come and look. In danger, call {number}.",
    wait="One moment, please.",
    standing="Community fire watch. There is an alarm at the home you registered.",
    told=_TOLD,
    asked_by_reply=(*_TOLD, Piece(" Satisfied? Reply 1 for yes, 2 for no.")),
    asked_by_link=(*_TOLD, Piece(" Satisfied? {link}")),
    said={
        "real": ("a real fire, dealt with", "it was real and is dealt with"),
        "false_alarm": ("a false alarm, all clear", "a false alarm, all clear"),
        "device_fault": ("a fault of the device, to be repaired", "a fault of the device, to be repaired"),
        "test": ("a test of the device", "a test of the device"),
    },
)

_SUMMING = Sums(
    sms=(
        Piece("{mark}{head} SUMMARY: "),
        Piece("{place}: "),
        Piece("{total} {devices}, "),
        Piece("{fresh}"),
        Piece(": {kinds}", drop=2),
        Piece(". Latest: {newest}", drop=1),
        Piece(". {act}", drop=3),
        Piece(". Ref {reference}"),
    ),
    title=(Piece("{mark}{head} summary: "), Piece("{place}")),
    body=(
        Piece("{total} {devices}, "),
        Piece("{fresh}"),
        Piece(": {kinds}"),
        Piece(". Latest: {newest}"),
        Piece(". Ref {reference}"),
    ),
    said="{mark}{head} summary. {place}. {total}{fresh}. ",
    said_total="{count} {devices}, ",
    said_latest="Latest: {newest}. ",
    devices=("detectors in alarm", "devices in alarm", "matters to check", "devices in trouble"),
    device=("detector in alarm", "device in alarm", "matter to check", "device in trouble"),
    fresh="{count} new places",
    fresh_one="{count} new place",
    kind="{label} {count}",
    more=" ...",
    head_check="Check",
    head_trouble="Trouble",
    separator=", ",
    digest=(
        Piece("Gengfu daily: "),
        Piece("{place}: "),
        Piece("{total} to do"),
        Piece(": {kinds}", drop=1),
        Piece(", oldest {age}", drop=2),
        Piece(". See the app."),
    ),
    digest_title="Gengfu daily: {place}, to do {total}",
    digest_rest="and {rest} more in the list of work orders",
    digest_line="{label}: {place}, {age}, ref {reference}",
    everywhere="all grids",
    hours_ago="{count} h ago",
    days_ago="{count} days ago",
    grid="grid",
)

_DRILL_OVER = DrillEnd(
    sms=(
        Piece("DRILL OVER: {hazard} at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" Thank you.", drop=1),
        Piece(" Ref {reference}"),
    ),
    title="DRILL OVER",
    body="DRILL OVER. Thank you for taking part. Ref {reference}",
    say="Drill over. Thank you for taking part. ",
)

_DRILL_STOPPED = DrillEnd(
    sms=(
        Piece("DRILL STOPPED: there is a REAL alarm in this grid. Follow only the real messages."),
        Piece(" The drill was at", drop=1),
        Piece(" {place}."),
        Piece(" Ref {reference}"),
    ),
    title="DRILL STOPPED: REAL ALARM",
    body="DRILL STOPPED: there is a REAL alarm in this grid. Follow only the real messages. Ref {reference}",
    say="Drill stopped. There is a real alarm in this grid. Follow only the real messages. ",
)

_PROBING = Probing(
    code_sms="Gengfu code {code}, valid {minutes} min, to register this number for alarms. "
    "Tell it to whoever registers you. Not you? Ignore this.",
    say="This is a number check of the Gengfu alarm system. There is no alarm. ",
    keys="Press one to receive alarms on this number, two if it is not yours, three to hear it again.",
    recorded="Your number is verified. Thank you.",
    declined="Noted. Thank you.",
    missed="Not confirmed. This check ends here. Goodbye.",
    wait="One moment, please.",
    push_title="Check of alarm messages",
    push_body="Tap this message to confirm that alarms reach you here. There is no alarm.",
    self_test_title="Daily check, no alarm",
    self_test_body="Tap this message to confirm that alarms reach this phone today.",
    self_test_ask="Tap the button to confirm that alarms reach this phone today.",
    self_test_button="It reached this phone",
    self_test_tapped="Confirmed: alarms reach this phone today. Thank you.",
    lacks={
        "no_alarm": "No alarm came within the time.",
        "not_restored": "It was not restored within the time.",
        "no_signal": "It told no signal strength.",
        "weak_signal": "The signal is weaker than this model needs.",
        "paged": "Its alarm has called people as a real one.",
    },
)

_CARRIER = Carrier(
    join=", ",
    join_spoken=", ",
    reply="reply 1 if going",
    call="take the call, press 1",
    app="confirm in the app",
    go={
        SignalClass.A: "go now",
        SignalClass.S: "go and check",
        SignalClass.T: "arrange a repair",
        SignalClass.I: "take note",
    },
    find="find the place now",
    direct="dial {number} (no answer {minutes} min)",
    direct_short="dial {number}",
    direct_spoken="dial {number} yourself",
    live="cut the power by hand",
    live_short="cut power",
    live_spoken="cut the power by hand",
    update="{who} is going",
    all_clear="ALL CLEAR, no need to go",
    command="Power NOT cut, cut it by hand",
    drill_over="DRILL OVER, thank you",
    drill_stopped="DRILL STOPPED, REAL alarm under way",
    drilled="drill {hazard}",
    summary="{head} SUMMARY",
    summary_text="{total} now, {fresh} new, ref {reference}",
    summary_fresh="{fresh} new, ref {reference}",
    summary_spoken="{total}{fresh}",
    digest="Gengfu daily",
    digest_text="{total} to do, see the app",
    result="Fire watch",
    home="your home {place}",
    result_text="{hazard}, {result}",
    result_said={
        "real": ("real fire, dealt with", "real, dealt with"),
        "false_alarm": ("false alarm", "false alarm"),
        "device_fault": ("device fault", "device fault"),
        "test": ("device test", "device test"),
    },
    result_reply="reply 1 if content, 2 if not",
    unplaced=("unregistered, device ", ""),
    unplaced_spoken="unregistered place, device ending {ending}",
    unplaced_silent="unregistered place",
    number_sign="No",
    household=("{hazard}", "{hazard}, touch no switch, go out", "{hazard}"),
)

_CARDS = Cards(
    going="Going",
    cannot="Cannot go",
    place="Place",
    time="Time",
    reference="Ref",
    map="Map",
    see="Open",
    answer="Open and answer",
    heard={"1": "Received: going", "2": "Received: cannot", "3": "Received"},
)

_WORKER_PAGE = WorkerPage(
    when="Time",
    reference="Reference",
    map="Open the map",
    choices={"going": "I am going", "cannot": "I cannot go", "again": "Call me again"},
    standings={
        "open": "Nobody is going yet. Can you go?",
        "yours": "Recorded: you are going. Take care.",
        "taken": "{name} is going. You need not go.",
        "over": "It is over: nobody needs to go.",
    },
    told={
        "declined": "Recorded: you cannot go. The next person is being told.",
        "again": "You will be contacted again as soon as possible.",
        "not_again": "It cannot be repeated now: somebody goes, or it was repeated too often. Please choose.",
        "not_now": "That was not recorded. This is how it stands.",
    },
    choose="Choose one of these.",
)

_RATING_PAGE = RatingPage(
    title="How was it handled?",
    question="Are you satisfied with how the alarm at your home was handled?",
    satisfied="Satisfied",
    not_satisfied="Not satisfied",
    thanks="Thank you. It is recorded.",
    gone="This link is not valid, or no longer.",
)

_CHAT = Chat(
    opened="{label} at {place}, {time}. Ref {reference}",
    taken="{who} is going: {label} at {place}. Ref {reference}",
    closed="Over: {label} at {place}. Ref {reference}",
)

_CONTACT = Contact(name="Gengfu", note="Fire alarms: always let this ring")

_REPEAT_15 = (
    "Settings > Sound > Do not disturb > Calls: allow favourite (starred) contacts and turn on repeat callers: a "
    "second call from one number within 15 minutes rings."
)
_REPEAT_3 = (
    "Settings > Sounds > Do not disturb (modes) > Calls: allow favourite contacts and turn on repeated calls: a "
    "second call from one number within 3 minutes rings."
)
_UNBLOCK = ": put every number of the contact card on the white list, and do not block unknown callers."
_AWAKE = ": let the app run in the background, or its messages do not come."

_GUIDES = Guides(
    note=(
        "Menu names differ by version: if you cannot find one, type its key word into the search box of Settings. "
        "None of this changes how your other calls ring."
    ),
    save="Scan the QR code of the contact card, save all our numbers as one contact and mark it as a favourite (star).",
    notify=(
        "Settings > Notifications > Gengfu (or your browser or work app): allow messages, on the lock screen, with "
        "sound, and during do not disturb."
    ),
    try_out="Ask the control room for one more verification call and see that it rings.",
    brands={
        "huawei": PhoneGuide(
            name="Huawei",
            repeat=_REPEAT_15,
            unblock="Phone > More > Blocked > Settings > Trustlist" + _UNBLOCK,
            awake="Settings > Apps > App launch > manage manually: auto-launch, secondary launch, run in background"
            + _AWAKE,
        ),
        "xiaomi": PhoneGuide(
            name="Xiaomi / Redmi",
            repeat=_REPEAT_15,
            unblock="Phone (or Security) > Blocklist > Settings > Exceptions" + _UNBLOCK,
            awake="Settings > Apps > Manage apps: autostart on, battery saver to no restrictions" + _AWAKE,
        ),
        "oppo": PhoneGuide(
            name="OPPO / OnePlus / realme",
            repeat=_REPEAT_15,
            unblock="Phone > menu > Block and filter > Settings > Whitelist" + _UNBLOCK,
            awake="Settings > Battery > App battery management: allow auto launch and background activity" + _AWAKE,
        ),
        "vivo": PhoneGuide(
            name="vivo / iQOO",
            repeat=_REPEAT_15,
            unblock="Phone > Settings > Harassment filter > Whitelist" + _UNBLOCK,
            awake="Settings > Battery > Background power: allow high use; iManager > Autostart" + _AWAKE,
        ),
        "honor": PhoneGuide(
            name="Honor",
            repeat=_REPEAT_15,
            unblock="Phone > More > Blocked > Settings > Trustlist" + _UNBLOCK,
            awake="Settings > Apps > App launch > manage manually: allow all three" + _AWAKE,
        ),
        "samsung": PhoneGuide(
            name="Samsung",
            repeat=_REPEAT_15,
            unblock="Phone > More > Settings > Caller ID and spam protection" + _UNBLOCK,
            awake="Settings > Battery > Background usage limits > Never sleeping apps" + _AWAKE,
        ),
        "apple": PhoneGuide(
            name="Apple iPhone",
            repeat=(
                "Edit the contact > Ringtone > turn on Emergency Bypass (the surest); Settings > Focus > Do Not "
                "Disturb > People: allow it, and allow repeated calls: a second call within 3 minutes rings."
            ),
            unblock=(
                "Settings > Phone: turn off Silence Unknown Callers, or see that the card is saved; Messages > "
                "Filter Unknown Senders: off."
            ),
            awake=(
                "Add the Gengfu page to the home screen (push needs it), open it from there and allow messages; do "
                "not swipe it away."
            ),
        ),
        "other": PhoneGuide(
            name="Other phones",
            repeat=_REPEAT_3,
            unblock="Phone > Settings > Spam and call screen" + _UNBLOCK,
            awake="Settings > Battery > Battery optimisation: do not optimise it" + _AWAKE,
        ),
    },
)

_WATCHING = Watching(
    parts={"broker": "broker", "database": "database", "provider": "provider"},
    join=", ",
    causes={
        "silent": "the alarm service does not answer",
        "not_ready": "the alarm service is not ready: {parts}",
        "account": "an SMS or call account cannot be used",
        "canary": "test alarms do not come through",
        "violation": "the next step of an open alarm was lost or late",
    },
    texts={
        "trouble": "Gengfu {instance} IN TROUBLE since {since}: {cause}. Real alarms may reach nobody. Act now.",
        "well": "Gengfu {instance} is well again. Trouble since {since}: {cause}.",
        "violation": "Gengfu {instance}: {cause}. Read the log.",
        "test": "Gengfu {instance}: test of the watchdog. All is well, nothing to do.",
    },
    spoken={
        "trouble": "This is the Gengfu watchdog. {cause}. Real alarms may reach nobody. Act now.",
        "violation": "This is the Gengfu watchdog. {cause}. Read the log.",
        "test": "This is a test call of the Gengfu watchdog. All is well, nothing to do.",
    },
)

PACK = Pack(
    script=LATIN,
    voice="en-US",
    product="Gengfu",
    labels={code: hazard.en for code, hazard in TAXONOMY.items()},
    guidance=_GUIDANCE,
    words=_WORDS,
    household=_HOUSEHOLD,
    summing=_SUMMING,
    drill_over=_DRILL_OVER,
    drill_stopped=_DRILL_STOPPED,
    probing=_PROBING,
    carrier=_CARRIER,
    cards=_CARDS,
    worker_page=_WORKER_PAGE,
    rating_page=_RATING_PAGE,
    chat=_CHAT,
    contact=_CONTACT,
    guides=_GUIDES,
    watching=_WATCHING,
    templates={
        "sms_page": "{what} at {place}, time {time}. Please {act}. Ref {code}",
        "sms_told": "{what}. Alarm: {hazard} at {place}, time {time}. Ref {code}",
        "sms_notice": "{title} for {place}. Details: {text}. Time {time}",
        "sms_code": "Verification code {code}, valid 10 min: this number for alarms. "
        "Tell it to whoever registers you. Not you? Ignore it.",
        "voice_page": "{what}, at {place}. Press one if you are going, two if you cannot.",
        "voice_told": "{what}, at {place}. You need not press a key. Thank you.",
        "voice_household": "Community fire watch. At the home you registered, {place}, a sensor reports {what}. "
        "In danger, leave now and call 1 1 9. Press one for danger or help, two if all is well.",
        "voice_check": "This is a number check of the Gengfu alarm system. There is no alarm. "
        "Press one to receive alarms on this number, two if it is not yours.",
    },
)
