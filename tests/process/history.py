"""What a driver outside the product asked and was answered, and what is there in the end: the
verdict on both. Pure; tests/process/history_test.py shows that it sees what is lost and doubled.

A request is acknowledged (the command said so), refused for good (it can never take effect), or
unknown (no answer, or "not now": it may have taken effect, once)."""

import collections
import dataclasses

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"
ENDED = {"succeeded", "failed", "cancelled", "refused"}
SLEEPER_S = 100_000  # a job that runs so long has not ended by itself when the verdict is made
LATE_S = 10  # an unanswered request may take effect so long after its caller gave up


@dataclasses.dataclass
class Request:
    kind: str  # submit, cancel, put, exec, resize, scale
    # Name of the job, path of the secret, number of the command: used once for each kind; of resize
    # and scale the job or service, as often as it was asked for.
    key: str
    outcome: str = UNKNOWN
    answer: str = ""  # identity of the submitted job
    value: int = None  # what a submit runs in s, CPU in m of a resize, replicas of a scale
    sent_at: float = 0.0  # seconds of one clock
    ended_at: float = 0.0


@dataclasses.dataclass
class Found:
    """Rows and entries as they stand after the last fault."""
    jobs: list  # (identity, name, state)
    secrets: list  # (path, version)
    entries: list  # (action, identity for a submit, else key, request id); of what was done only
    # Name of job: the lines of its attempts, each a word and the attempt; of a command its own.
    marks: dict = dataclasses.field(default_factory=dict)
    # Identity of a job: its rounds, and how many of them were tried again after a loss.
    rounds: dict = dataclasses.field(default_factory=dict)
    sizes: dict = dataclasses.field(default_factory=dict)  # name of job: its CPU at first and now
    given_back: list = dataclasses.field(default_factory=list)  # (job, CPU) that its node refused
    # Service: its replicas now, and each change in order (is by hand, from, to), as audited.
    targets: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Verdict:
    acknowledged: int = 0
    unknown: int = 0
    lost: list = dataclasses.field(default_factory=list)
    doubled: list = dataclasses.field(default_factory=list)
    unexplained: list = dataclasses.field(default_factory=list)
    again: int = 0  # jobs whose work was done, and done again since that was lost: no fault

    def is_good(self):
        return not (self.lost or self.doubled or self.unexplained)

    def text(self):
        return (f"{self.acknowledged} acknowledged, {self.unknown} unknown, {len(self.lost)} lost, "
                f"{len(self.doubled)} doubled, {len(self.unexplained)} unexplained")


def judge(requests, found):
    verdict = Verdict()
    verdict.acknowledged = sum(r.outcome == ACKNOWLEDGED for r in requests)
    verdict.unknown = sum(r.outcome == UNKNOWN for r in requests)
    by_kind = collections.defaultdict(list)
    for request in requests:
        by_kind[request.kind].append(request)
    judge_submits(by_kind["submit"], found, verdict)
    judge_cancels(by_kind["cancel"], found, verdict)
    judge_puts(by_kind["put"], found, verdict)
    judge_execs(by_kind["exec"], found, verdict)
    judge_repeated("deployer.job.resize", by_kind["resize"], found, verdict)
    judge_sizes(by_kind["resize"], found, verdict)
    judge_repeated("scaler.service.scale", by_kind["scale"], found, verdict)
    judge_targets(by_kind["scale"], found, verdict)
    judge_ends(by_kind["submit"], by_kind["cancel"], found, verdict)
    judge_request_ids(found, verdict)
    judge_marks(found, verdict)
    judge_work(found, verdict)
    judge_rounds(found, verdict)
    return verdict


def judge_submits(submits, found, verdict):
    rows = collections.defaultdict(list)
    for identity, name, _ in found.jobs:
        rows[name].append(identity)
    entries = count(found, "deployer.job.submit")
    for request in submits:
        there = rows.pop(request.key, [])
        judge_one(f"job {request.key}", request, len(there), verdict)
        if request.outcome == ACKNOWLEDGED and there and request.answer not in there:
            verdict.lost.append(f"job {request.key}: acknowledged as {request.answer}")
        for identity in there:
            judge_entries(f"submit of {request.key}", entries.pop(identity, 0), verdict)
    verdict.unexplained += [f"job {name} that nobody asked for" for name in sorted(rows)]
    verdict.unexplained += [f"entry of a submit of {job} without a job" for job in sorted(entries)]


def judge_cancels(cancels, found, verdict):
    """Who cancels what has ended is told so: what was acknowledged has ended by that and nothing
    else, also where the work fell at the same time."""
    states = {name: state for _, name, state in found.jobs}
    entries = count(found, "deployer.job.cancel")
    for request in cancels:
        audited = entries.pop(request.key, 0)
        if request.outcome == ACKNOWLEDGED:
            if states.get(request.key) != "cancelled":
                verdict.lost.append(f"cancel of {request.key}: {states.get(request.key)}")
            judge_entries(f"cancel of {request.key}", audited, verdict)
        elif audited > 1:
            verdict.doubled.append(f"cancel of {request.key}: {audited} entries")
    verdict.unexplained += [f"entry of a cancel of {job}" for job in sorted(entries)]


def judge_puts(puts, found, verdict):
    rows = collections.Counter(path for path, _ in found.secrets)
    entries = count(found, "vault.secret.put")
    for request in puts:
        there = rows.pop(request.key, 0)
        judge_one(f"secret {request.key}", request, there, verdict)
        if there:
            judge_entries(f"put of {request.key}", entries.pop(request.key, 0), verdict)
    verdict.unexplained += [f"secret {path} that nobody put" for path in sorted(rows)]
    verdict.unexplained += [f"entry of a put of {path} without it" for path in sorted(entries)]


def judge_execs(execs, found, verdict):
    """Each command writes a line into a file of its own."""
    for request in execs:
        judge_one(f"command {request.key}", request, len(found.marks.get(request.key, [])), verdict)


def judge_repeated(action, requests, found, verdict):
    """Of changes that may be asked for again: as many entries as were acknowledged, and no more
    than could have taken effect."""
    entries = count(found, action)
    for key in sorted({request.key for request in requests}):
        outcomes = collections.Counter(r.outcome for r in requests if r.key == key)
        done = entries.pop(key, 0)
        least = outcomes[ACKNOWLEDGED]
        verdict.lost += [f"audit entry of a {action} of {key}"] * max(0, least - done)
        verdict.doubled += [f"{action} of {key}"] * max(0, done - least - outcomes[UNKNOWN])
    verdict.unexplained += [f"entry of a {action} of {key}" for key in sorted(entries)]


def judge_sizes(resizes, found, verdict):
    for key in sorted({request.key for request in resizes} & set(found.sizes)):
        first, now = found.sizes[key]
        refused = {cpu for name, cpu in found.given_back if name == key}
        asked = [dataclasses.replace(r, outcome=UNKNOWN) if r.value in refused else r
                 for r in resizes if r.key == key]
        judge_value(f"size of {key}", asked, first, now, verdict)


def judge_targets(scales, found, verdict):
    """The audited changes follow from each other and end with the number that is there; the last
    one by hand is the last that was asked for."""
    for key in sorted({request.key for request in scales} | set(found.targets)):
        if key not in found.targets:
            verdict.lost.append(f"replicas of {key}")
            continue
        now, changes = found.targets[key]
        was = changes[0][1] if changes else now
        for step in [*changes, (False, now, now)]:
            if step[1] != was:
                verdict.lost.append(f"replicas of {key}: {was}, and {step[1]} at the next look")
            was = step[2]
        by_hand = [to for is_by_hand, _, to in changes if is_by_hand]
        asked = [request for request in scales if request.key == key]
        judge_value(f"replicas of {key}", asked, None, by_hand[-1] if by_hand else None, verdict)


def judge_value(what, requests, first, now, verdict):
    """What is there is what the last acknowledged request asked for, or one that may have taken
    effect after it."""
    newest = max((r.sent_at for r in requests if r.outcome == ACKNOWLEDGED), default=None)
    good = {r.value for r in requests if r.outcome != REFUSED and (newest is None or newest <
            r.ended_at + (LATE_S if r.outcome == UNKNOWN else 0))}
    if now not in (good | {first} if newest is None else good):
        verdict.lost.append(f"{what}: {now} instead of one of {sorted(good)}")


def judge_ends(submits, cancels, found, verdict):
    """What runs for ever goes on unless it is cancelled or falls; the rest has come to its end."""
    endless = {r.key for r in submits if r.value == SLEEPER_S}
    asked = {r.key for r in cancels if r.outcome != REFUSED}
    told = {r.key for r in cancels if r.outcome == ACKNOWLEDGED}  # judged as that
    for _, name, state in found.jobs:
        if state == "cancelled" and name not in asked:
            verdict.unexplained.append(f"job {name}: nobody has cancelled it")
        if state == "succeeded" and name in endless:
            verdict.unexplained.append(f"job {name}: it cannot have ended by itself")
        if state not in ENDED and name not in endless | told:
            verdict.unexplained.append(f"job {name}: it is still {state}")


def judge_one(what, request, times, verdict):
    if request.outcome == ACKNOWLEDGED and times == 0:
        verdict.lost.append(what)
    if times > 1:
        verdict.doubled.append(f"{what}: {times} times")
    if request.outcome == REFUSED and times > 0:
        verdict.unexplained.append(f"{what}: refused, and there")


def judge_entries(what, times, verdict):
    if times == 0:
        verdict.lost.append(f"audit entry of the {what}")
    if times > 1:
        verdict.doubled.append(f"audit entry of the {what}: {times} times")


def judge_request_ids(found, verdict):
    """A change that took effect twice under one request id."""
    ids = collections.Counter(entry for entry in found.entries if entry[2])
    verdict.doubled += [f"{action} of {what} under one request id: {times} times"
                        for (action, what, _), times in sorted(ids.items()) if times > 1]


def judge_marks(found, verdict):
    """Attempts mark "twice" when another one of their task runs at the same time, "start" and "end"
    once each, and nothing more once a later attempt of their task has begun."""
    for name, lines in sorted(found.marks.items()):
        verdict.doubled += [f"two attempts of {name} at once"] * any("twice" in x for x in lines)
        marks = [tuple(x.split()) for x in lines if x.startswith(("start ", "end "))]
        verdict.doubled += [f"{mark} {attempt}: {times} times" for (mark, attempt), times in
                            sorted(collections.Counter(marks).items()) if times > 1]
        numbers = [place_of(attempt) for _, attempt in marks]
        verdict.doubled += [f"attempt {old} went on after {new} had begun" for old, new in
                            zip([x for _, x in marks[1:]], [x for _, x in marks])
                            if place_of(old) < place_of(new)]
        verdict.unexplained += [f"attempt {job}-{index}-{number} that the database does not know"
                                for job, index, number in sorted(set(numbers))
                                if number > found.rounds.get(job, (0, 0))[0]]
        verdict.unexplained += [f"end of {attempt} without its start" for mark, attempt in marks
                                if mark == "end" and ("start", attempt) not in marks]


def judge_work(found, verdict):
    """What has succeeded has run to its end, in the attempt that the database took for the last;
    an earlier one may have done so and been lost before anybody had stored it."""
    for identity, name, state in found.jobs:
        last = found.rounds.get(identity, (0, 0))[0]
        ends = [place_of(x.split()[1]) for x in found.marks.get(name, []) if x.startswith("end ")]
        if state == "succeeded" and (identity, "0", last) not in ends:
            verdict.lost.append(f"work of {name}: it has succeeded, and attempt {last} did not end")
        verdict.again += any(place < (identity, "0", last) for place in ends)


def judge_rounds(found, verdict):
    """Each round but the first follows a loss that was counted."""
    verdict.doubled += [f"job {job}: {rounds} rounds and {again} losses" for job, (rounds, again)
                        in sorted(found.rounds.items()) if rounds > 1 + again]


def place_of(attempt):
    """Its job, its task in it, and its number."""
    job, index, number = attempt.rsplit("-", 2)
    return job, index, int(number)


def count(found, action):
    return collections.Counter(what for done, what, _ in found.entries if done == action)
