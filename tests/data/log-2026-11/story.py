#!/usr/bin/env python3
"""Makes the two logs beside this file, with the program of revision 4a207de.

    python3 story.py CONCORD PROTO FOLDER

CONCORD is the program `concord` of 4a207de, PROTO that revision's folder of interfaces, FOLDER a folder that is not there yet. It
starts a stack in FOLDER, gives the commands below over gRPC, notes each with its answer, asks what the services then say, and dumps
the databases. grpcio and grpcio-tools must be importable (`pip install grpcio grpcio-tools`), and pg_dump 15 or newer be found.

Every party, person, code and title is made up. All ids but those of events follow from names, so that another run gives the same
requests; times, event ids and therefore hashes differ.
"""

import atexit
import functools
import gzip
import importlib
import json
import pathlib
import signal
import subprocess
import sys
import time
import uuid

import grpc
from google.protobuf import json_format

CONCORD, PROTO, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()

FUND, AGREEMENT, AUDIT = "fund-grant", "agreement", "funding-audit"
D0, D1, D2, D3, D4 = "2017-03-01", "2017-03-20", "2017-05-10", "2017-11-20", "2017-12-01"
MOST = 1_000_000_000_000_000  # the highest amount that the interface takes

# ---------------------------------------------------------------------------------------------------------------- ids

KERNEL = uuid.UUID("5f0c1c9e-7b1d-4d0a-9a53-2c4190e6b7d8")
PARTIES = uuid.UUID("0d4f62b7-51c8-4e0f-8b7c-6a3e95d21f40")
CODES = uuid.UUID("7c1e90b4-2f6d-4a58-9e03-d1b748ac6f25")
STORY = uuid.UUID("0190b1f0-0000-7000-8000-000000000011")


def own(name):
    """An id that a caller chose."""
    return str(uuid.uuid5(STORY, name))


def derived(kind, label, source):
    """An id as the services of 4a207de derive it (services/kernel/src/id.rs)."""
    return str(uuid.uuid5(uuid.uuid5(uuid.uuid5(KERNEL, kind), label), source))


def party_id(code):
    scheme, number = code.split(":")
    return str(uuid.uuid5(PARTIES, f"CN-ORG:{number[8:17]}" if scheme == "CN-USCC" else code))


def party_code_id(code):
    return str(uuid.uuid5(CODES, code))


def uscc(region, organisation):
    """A unified code around eight characters of an organisation code, with both check characters (GB 32100, GB 11714)."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    check = 11 - sum(alphabet.index(c) * w for c, w in zip(organisation, (3, 7, 9, 10, 5, 8, 4, 2))) % 11
    body = f"91{region}{organisation}" + {10: "X", 11: "0"}.get(check, str(check))
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(letters.index(c) * w for c, w in zip(body, (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)))
    return body + letters[(31 - total % 31) % 31]


# ---------------------------------------------------------------------------------------------------------- the stack


def compiled():
    """The interfaces as modules."""
    from grpc_tools import protoc

    out = FOLDER / "python"
    out.mkdir()
    files = [str(file) for file in sorted(PROTO.glob("concord/**/*.proto"))]
    assert protoc.main(["", f"-I{PROTO}", f"--python_out={out}", *files]) == 0
    sys.path.insert(0, str(out))
    names = [file.relative_to(PROTO).with_suffix("").as_posix().replace("/", ".") + "_pb2" for file in PROTO.glob("concord/**/*.proto")]
    services = {}
    for module in map(importlib.import_module, names):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                services.setdefault(method.name, []).append((service, method, module))
    return services


FOLDER.mkdir(parents=True)
METHODS = compiled()
STACK = subprocess.Popen(
    [CONCORD, "--dir", str(FOLDER / "stack"), "up", "--played-from", D0],
    stdout=(FOLDER / "up.log").open("w"),
    stderr=subprocess.STDOUT,
)
atexit.register(STACK.wait)
atexit.register(STACK.send_signal, signal.SIGINT)
ADDRESSES = FOLDER / "stack/run/services.json"
while not ADDRESSES.is_file():
    assert STACK.poll() is None, (FOLDER / "up.log").read_text()
    time.sleep(0.1)
CHANNELS = {
    service: grpc.insecure_channel(address.removeprefix("http://"), options=[("grpc.max_receive_message_length", 1 << 26)])
    for service, address in json.loads(ADDRESSES.read_text()).items()
}

JOURNAL = []  # commands, in order
ANSWERS = []  # questions, in order


class Refused(Exception):
    pass


@functools.cache
def message(full_name):
    from google.protobuf import descriptor_pool, message_factory

    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))


def call(log, name, body, actor=None):
    """One call; gives what was sent and what came back."""
    package = {FUND: "concord.fund", AGREEMENT: "concord.agreement", AUDIT: "concord.audit"}[log]
    [(service, method, _)] = [m for m in METHODS[name] if m[0].full_name.startswith((package, "concord.log"))]
    request = json_format.ParseDict(body, message(method.input_type.full_name)())
    path = f"/{service.full_name}/{name}"
    ask = CHANNELS[log].unary_unary(path, lambda it: it.SerializeToString(deterministic=True), lambda raw: raw)
    metadata = [("concord-actor", actor)] if actor else []
    noted = {
        "log": log,
        "method": path,
        "request": json_format.MessageToDict(request, preserving_proto_field_name=True),
        "request_hex": request.SerializeToString(deterministic=True).hex(),
    }
    try:
        raw = ask(request, metadata=metadata, timeout=60)
        answer = message(method.output_type.full_name)()
        answer.ParseFromString(raw)
        noted |= {"answer": json_format.MessageToDict(answer, preserving_proto_field_name=True), "answer_hex": raw.hex()}
        return noted
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        return noted | {"refused": error.code().name, "message": error.details(), "reason": reason_of(details)}


def reason_of(details):
    """The reason in google.rpc.ErrorInfo, which stands first in the details of a status."""
    marker = b"type.googleapis.com/google.rpc.ErrorInfo"
    at = details.find(marker)
    if at < 0:
        return ""
    info = details[at + len(marker) :]
    start = info.index(b"\x0a", 1)  # field 1 of ErrorInfo, after the length of the whole
    return info[start + 2 : start + 2 + info[start + 1]].decode()


def command(log, actor, fault, name, body, refused=None, version=None, again=False):
    """Gives a command and notes it under the fault that it is part of; '' is what has none. Its request id follows from its place,
    that of a repeat from the command that it repeats."""
    number = sum(not line["again"] for line in JOURNAL)
    request_id = JOURNAL[-1]["request_id"] if again else own(f"request {number + 1}")
    today = name == "AdvanceToday"
    header = {"request_id": request_id} | ({} if version is None else {"expected_version": version})
    noted = call(log, name, body | ({"request_id": request_id} if today else {"header": header}), actor)
    JOURNAL.append({"request_id": request_id, "fault": fault, "actor": actor, "again": again} | noted)
    if (refused or "") != noted.get("refused", ""):
        raise Refused(json.dumps(JOURNAL[-1], indent=1, ensure_ascii=False))
    return noted.get("answer", {})


def last(answer):
    return int(answer["receipt"]["last_position"])


def ask(log, name, body, **beside):
    noted = call(log, name, body)
    ANSWERS.append(beside | noted)
    return noted.get("answer")


def until(what, holds):
    for _ in range(600):
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(what)


# --------------------------------------------------------------------------------------------------------- the people

OFFICER = "officer-1@cooperation-office"
CITY, CLERK, REVIEWER, DIRECTOR = "city-1@city-bureau", "clerk-1@fund-office", "reviewer-1@fund-office", "director-1@fund-office"
CONTROLLER, TREASURER, CASHIER = "controller-1@fund-office", "treasurer-1@fund-office", "cashier-1@fund-office"

PROVINCE, UNIVERSITY, WORKS = (f"CN-USCC:{uscc('210100', it)}" for it in ("TE5T0001", "TE5T0002", "TE5T0003"))
LEADS = {name: f"EU-PIC:9990000{number:02}" for number, name in enumerate("L C D R W P I J T S N M V X Y Z U Q".split(), 10)}
TWIN = uscc("210200", "TE5T0004")
SECOND = f"CN-USCC:{uscc('210200', 'TE5T0005')}"  # a further code of X


def fen(yuan):
    return {"amount_minor": str(round(yuan * 100)), "currency": "CNY"}


def party(code, region="210102", kind="PARTY_KIND_ENTERPRISE"):
    return {"code": code, "kind": kind, "region": region}


def applicant(code):
    return f"applicant-1@{code}"


class Grant:
    """A grant and its lead, as the story goes on with it."""

    all = {}

    def __init__(self, name, lead, yuan, title=None, fault="", id=None, shares=(), ends_on="2019-12-31", region="210102"):
        self.name, self.lead, self.yuan, self.fault, self.ends_on = name, lead, yuan, fault, ends_on
        self.id, self.title, self.region = id or own(f"grant {name}"), title or f"示范项目 {name}", region
        self.shares = [{"party": party(code, region), "amount_minor": str(amount * 100)} for code, amount in shares]
        Grant.all[name] = self

    def does(self, actor, name, body=None, **how):
        return command(FUND, actor, how.pop("fault", self.fault), name, {"grant_id": self.id} | (body or {}), **how)

    def applied(self, actor=None):
        body = {
            "programme_id": PROGRAMME,
            "mode": "FUNDING_MODE_NON_REPAYABLE",
            "title": self.title,
            "lead": party(self.lead, self.region),
            "industry": "new_materials",
            "requested": fen(self.yuan),
            "total_budget": fen(2 * self.yuan),
            "allocations": self.shares,
            "starts_on": "2017-01-01",
            "ends_on": self.ends_on,
        }
        self.does(actor or applicant(self.lead), "ApplyForGrant", body)
        return self

    def admitted(self):
        self.applied()
        self.does(CITY, "RecommendGrant", {"recommender": "某市科技局"})
        self.does(CLERK, "AdmitGrant")
        return self

    def on_notice(self):
        self.admitted()
        self.does(REVIEWER, "ReviewGrant", {"score_hundredths": 8_800, "ceiling": fen(self.yuan)})
        self.does(CLERK, "PublishNotice", {"amount": fen(self.yuan)})
        return self

    def contracted(self, tranches):
        conditions = ["CONTRACT", "MIDTERM", "FINAL_ACCEPTANCE"][: len(tranches) - 1] + ["FINAL_ACCEPTANCE"]
        plan = [
            {"number": number, "amount_minor": str(yuan * 100), "condition": f"TRANCHE_CONDITION_{condition}", "due_on": "2018-12-31"}
            for number, (yuan, condition) in enumerate(zip(tranches, conditions), 1)
        ]
        body = {"contract_number": f"T-{self.name}", "amount": fen(self.yuan), "starts_on": "2017-01-01", "ends_on": self.ends_on}
        self.does(DIRECTOR, "SignContract", body | {"tranches": plan, "allocations": self.shares})
        self.does(DIRECTOR, "VerifyPayee", {"account": {"person_id": f"account-{self.name}", "text": "no account: a made-up party"}})
        return self

    def authorised(self, number=1, by=CONTROLLER, **how):
        tranche = {"tranche_number": number}
        self.does(applicant(self.lead), "RequestTranche", tranche)
        self.does(by, "AuthoriseTranche", tranche, **how)

    def instructed(self, number=1, by=TREASURER, **how):
        body = {"tranche_number": number, "instruction_id": own(f"instruction {self.name} {number}")}
        return self.does(by, "InstructTranche", body, **how)

    def settled(self, number=1, reference=None, **how):
        return self.does(
            CASHIER, "SettleTranche", {"tranche_number": number, "bank_reference": reference or f"B-{self.name}-{number}"}, **how
        )

    def paid(self, number=1):
        self.authorised(number)
        self.instructed(number)
        return self.settled(number)

    def reports(self, spend, yuan, invoice=None, **how):
        body = {
            "spend_id": own(f"spend {spend}"),
            "party_id": party_id(self.lead),
            "category": "SPEND_CATEGORY_EQUIPMENT",
            "spent_on": D1,
            "amount": fen(yuan),
            "purpose": "试验设备",
        }
        return self.does(applicant(self.lead), "ReportSpend", body | ({"invoice": invoice} if invoice else {}), **how)

    def pledges(self, source, yuan, due_on, **how):
        return self.does(
            CLERK,
            "PledgeMatching",
            {
                "source_number": source,
                "kind": "MATCHING_KIND_OWN_MONEY",
                "amount": fen(yuan),
                "instalments": [{"number": 1, "amount_minor": str(yuan * 100), "due_on": due_on}],
            },
            **how,
        )


def today(day):
    for log, actor in ((AGREEMENT, OFFICER), (FUND, CLERK)):
        command(log, actor, "", "AdvanceToday", {"today": day})


def agrees(fault, name, body, **how):
    return command(AGREEMENT, OFFICER, fault, name, body, **how)


def recorded(fault, code, kind="ENTERPRISE", name="某企业", region="210100", **how):
    body = {"code": code, "kind": f"PARTY_KIND_{kind}", "name": name, "region": region}
    return agrees(fault, "RecordParty", body, **how).get("party_id")


def drafted(fault, agreement, parties, kind="LONG_TERM", **how):
    body = {
        "agreement_id": agreement,
        "kind": f"AGREEMENT_KIND_{kind}",
        "title": "合作协议",
        "parties": [{"code": code, "role": "ROLE_PARTICIPANT"} for code in parties],
        "term": {"from": D0, "until": "2020-12-31"},
    }
    return agrees(fault, "DraftAgreement", body, **how)


def signed(fault, agreement, parties, **how):
    for code in parties:
        body = {"agreement_id": agreement, "party": code, "signatory": "signatory-1", "authority": "授权书1号"}
        answer = agrees(fault, "SignAgreement", body, **how)
    return answer


def followed(position):
    """Waits until the fund has verified the agreement log up to there."""
    body = {"agreement_id": BACKED, "min_agreement_position": position}

    def holds():
        answer = call(FUND, "GetBacking", body).get("answer", {})
        return int(answer.get("verified_position", 0)) >= position

    until(f"the fund follows the agreement log up to {position}", holds)


def applied():
    """How far the projection is."""
    return int(call(AUDIT, "GetProjectionStatus", {}).get("answer", {}).get("checkpoint", 0))


# ---------------------------------------------------------------------------------------------- the directory, day by day

PROGRAMME = own("programme")
BACKED, SQUATTED_LINK = own("agreement in force"), own("agreement whose link is taken")
CODE_TAKEN, PARTY_TAKEN = "EU-PIC:999000090", "EU-PIC:999000091"

recorded("", PROVINCE, "GOVERNMENT", "某省人民政府", "210000")
recorded("", UNIVERSITY, "UNIVERSITY", "某大学", "210102")
recorded("", WORKS, name="某机床厂")
# B4: one party under two codes that the directory knows; one that merged into another; one that was dissolved.
x = recorded("B4.alias", LEADS["X"], name="某合金公司")
agrees("B4.alias", "AddPartyCode", {"party_id": x, "code": SECOND})
y, z = (recorded("B4.merger", LEADS[it], name=f"某公司{it}") for it in "YZ")
u = recorded("B4.dissolved", LEADS["U"], name="某已注销公司")
# B4: the same certificate under the scheme's other name.
recorded("B4.usci", f"CN-USCC:{TWIN}", name="某轴承厂")
recorded("B4.usci", f"CN-USCI:{TWIN}", name="某轴承厂")
# B1: an agreement under the id of a party's code, so that the code comes to belong to two; one under the id of a party, who cannot
# be recorded any more.
drafted("B1.code", party_code_id(CODE_TAKEN), [PROVINCE, UNIVERSITY], "FRAMEWORK")
for holder in (WORKS, LEADS["Z"]):
    agrees("B1.code", "AddPartyCode", {"party_id": party_id(holder), "code": CODE_TAKEN})
drafted("B1.party", party_id(PARTY_TAKEN), [PROVINCE, UNIVERSITY], "FRAMEWORK")
recorded("B1.party", PARTY_TAKEN, name="某铸造公司", refused="ALREADY_EXISTS")
# The agreement that H rests on; and B5: a repeat that names another expected version gets the first answer.
drafted("", BACKED, [WORKS, UNIVERSITY])
signed("B5", BACKED, [WORKS], version=1)
signed("B5", BACKED, [WORKS], version=7, again=True)
in_force = last(signed("", BACKED, [UNIVERSITY]))

# --------------------------------------------------------------------------------------------------- 2017-03-01, applications

command(
    FUND,
    CLERK,
    "",
    "AppropriateProgramme",
    {
        "programme_id": PROGRAMME,
        "fund": "guiding-fund",
        "purpose": "FUND_PURPOSE_TRANSFORMATION",
        "year": 2017,
        "amount": fen(100_000_000),
        "title": "2017年度成果转化专项",
    },
)
followed(in_force)

OUTSIDER = "applicant-1@somebody-else"
# B1: grants under the ids of a lead's file, of an agreement's link and of an invoice, each before that is there.
squatters = {
    "file": derived("party file", "party", party_id(LEADS["L"])),
    "link": derived("backing", "agreement", SQUATTED_LINK),
    "invoice": derived("invoice", "2100999130", "00000077"),
}
for name, id in squatters.items():
    Grant(f"squatter-{name}", LEADS["Q"], 1_000, fault=f"B1.{name}", id=id).applied(OUTSIDER)

# B1: the lead whose file is taken has one project live twice.
l1 = Grant("l1", LEADS["L"], 10_000, "高效轴承中试", "B1.file", ends_on="2017-04-30").on_notice()
l2 = Grant("l2", LEADS["L"], 20_000, "高效轴承中试", "B1.file").admitted()
c1, c2 = (Grant(name, LEADS["C"], 10_000, fault=fault).on_notice() for name, fault in (("c1", "B1.cancelled"), ("c2", "B1.disallowed")))
c3, d = Grant("c3", LEADS["C"], 10_000, fault="B1.returned").on_notice(), Grant("d", LEADS["D"], 10_000, fault="B1.recovery").on_notice()
h = Grant("h", UNIVERSITY, 10_000, fault="B1.link").on_notice()
h.does(applicant(UNIVERSITY), "NameBackingAgreement", {"agreement_id": BACKED})
r = Grant("r", LEADS["R"], 2_000_000, fault="B2.hidden").on_notice()
w = Grant("w", LEADS["W"], 1_020_000, fault="B2.grown", shares=[(LEADS["W"], 510_000), (LEADS["P"], 510_000)]).on_notice()
i1, i2 = (Grant(f"i{n}", LEADS[lead], 2_000_000, fault="B3.invoice").on_notice() for n, lead in ((1, "I"), (2, "J")))
# B3: one title in Latin letters, and in letters of another script that look the same.
Grant("t1", LEADS["T"], 10_000, "HEPTA MACPOT KBEAM OPTHC", "B3.title").admitted()
Grant("t2", LEADS["T"], 11_000, "НЕРТА МАСРОТ КВЕАМ ОРТНС", "B3.title").admitted()
# B4: one project under two codes of one party; of a party and of the one that it merged into; under both names of a scheme.
x1, x2 = (Grant(f"x{n}", code, 10_000 + 2_000 * (n - 1), "耐磨合金涂层", "B4.alias").on_notice() for n, code in ((1, LEADS["X"]), (2, SECOND)))
Grant("y", LEADS["Y"], 10_000, "深海浮体材料", "B4.merger").admitted()
Grant("u1", f"CN-USCC:{TWIN}", 10_000, "陶瓷轴承", "B4.usci", region="210200").admitted()
Grant("u2", f"CN-USCI:{TWIN}", 13_000, "陶瓷轴承", "B4.usci", region="210200").admitted()
s1, s2 = (Grant(f"s{n}", LEADS[lead], 100_000, fault="A1").on_notice() for n, lead in ((1, "S"), (2, "N")))
PARTNERS = [f"EU-PIC:9991{number:05}" for number in range(130)]
m = Grant("m", LEADS["M"], 131_000, fault="A2", shares=[(LEADS["M"], 1_000)] + [(code, 1_000) for code in PARTNERS]).on_notice()
v = Grant("v", LEADS["V"], 10_000, fault="A3").on_notice()

# --------------------------------------------------------------------------------------------------- 2017-03-20, contracts

today(D1)
agrees("B4.dissolved", "DissolveParty", {"party_id": u})
agrees("B4.merger", "MergeParty", {"party_id": y, "into": z})
Grant("z", LEADS["Z"], 14_000, "深海浮体材料", "B4.merger").admitted()
Grant("u", LEADS["U"], 15_000, fault="B4.dissolved").applied()

running = [l1, c1, c2, c3, d, h, r, w, i1, i2, x1, x2, s1, s2, m, v]
command(
    FUND,
    DIRECTOR,
    "",
    "ApproveGrants",
    {"minutes": "会议纪要1号", "awards": [{"grant_id": grant.id, "amount": fen(grant.yuan)} for grant in running]},
)
for grant in running:
    if grant is not w:
        first = grant.yuan * 6 // 10
        grant.contracted([first, grant.yuan - first])
w.contracted([10_000, 990_000, 20_000])

# B1: money that was paid, and recoveries of d under the ids that follow from the cancellation of c1, from a disallowed item of c2
# and from a payment of c3 that comes back. Nothing of that can be done any more.
for grant in (c1, c2, c3, d, x1, x2):
    grant.paid()
spend = own("spend c2")
for grant, name in ((c2, "c2"), (c3, "c3")):
    grant.reports(name, 5_000)
    grant.does(CLERK, "AcceptSpend", {"spend_id": own(f"spend {name}")})
recoveries = {
    "cancelled": derived("recovery", "cancelled grant", c1.id),
    "disallowed": derived("recovery", "disallowed spend", f"{c2.id}/{spend}"),
    "returned": derived("recovery", "payment returned", f"{c3.id}/B-c3-back"),
}
for name, id in recoveries.items():
    take = {"party_id": party_id(d.lead), "from": "TAKEN_FROM_UNSPENT", "amount": fen(100)}
    body = {
        "recovery_id": id,
        "grant_id": d.id,
        "cause": "RECOVERY_CAUSE_DIVERTED",
        "takes": [take],
        "minutes": "会议纪要2号",
        "reason": "挪用",
    }
    command(FUND, DIRECTOR, f"B1.{name}", "DetermineRecovery", body)
fraud = {"cause": "CANCELLATION_CAUSE_FRAUD", "reason": "虚假材料", "minutes": "会议纪要3号"}
c1.does(DIRECTOR, "CancelGrant", fraud, refused="ALREADY_EXISTS")
c2.does(CLERK, "DisallowSpend", {"spend_id": spend, "reason": "虚假发票"}, refused="ALREADY_EXISTS")
back = {"tranche_number": 1, "bank_reference": "B-c3-back", "reason": "账户注销"}
c3.does(CASHIER, "ReturnPayment", back, refused="ALREADY_EXISTS")

# B2: the applicant charges itself with a finding that is none yet, names no grant, and dismisses it.
pledged = last(r.pledges(1, 900_000, "2017-06-30"))
key = {"rule": "A03", "subject": f"{r.id}/source/1/1", "position": str(pledged)}
charge = {"owner": "owner-1", "deadline": "2017-12-31", "task": "自查"}
hidden = command(FUND, applicant(r.lead), "B2.hidden", "AssignRectification", {"finding": key} | charge)["rectification_id"]
none = {"minutes": "内部纪要1号", "reason": "已自查"}
command(FUND, applicant(r.lead), "B2.hidden", "DismissFinding", {"rectification_id": hidden} | none)
# B1: a grant under the id of a rectification: nobody can be charged with that finding.
pledged = last(r.pledges(2, 40_000, "2017-06-30", fault="B1.rectification"))
key = {"rule": "A03", "subject": f"{r.id}/source/2/1", "position": str(pledged)}
taken = derived("rectification", "finding", f"A03|{key['subject']}|{pledged}")
Grant("squatter-rectification", LEADS["Q"], 1_100, fault="B1.rectification", id=taken).applied(OUTSIDER)
body = {"finding": key, "grant_id": r.id} | charge
command(FUND, CLERK, "B1.rectification", "AssignRectification", body, refused="ALREADY_EXISTS")
# A3: pledges at the highest amount, and B5: a repeat with another expected version.
for source in range(1, 4):
    v.pledges(source, MOST // 100, "2018-12-31")
v.pledges(4, 7_000, "2018-06-30", fault="B5", version=11)
v.pledges(4, 7_000, "2018-06-30", fault="B5", version=3, again=True)

# B2: a part of the partner's 5,000 is not passed on. B3: who authorises and who instructs are one person in two spellings, and one
# reference of the bank is told twice.
w.paid()
i1.authorised(by="auth@fund-office", fault="B3.person")
i1.instructed(by="Auth@fund-office", fault="B3.person")
i1.settled(reference="PAY-1", fault="B3.reference")
i1.pledges(1, 50_000, "2018-12-31", fault="B3.reference")
arrival = {"source_number": 1, "instalment_number": 1, "amount": fen(50_000), "bank_reference": "PAY-1 "}
i1.does(CASHIER, "RecordMatchingArrival", arrival, fault="B3.reference")
i2.paid()
# B3: an invoice of 100,000 in six spellings, and one of the new kind, known by its 20 digits, by two issuers.
spellings = ["00012345", "12345", "０００１２３４５", "No.00012345", "№00012345", "0001-2345"]
digital = "21992000000012345678"
named = [("2100143130", number) for number in spellings] + [(WORKS, digital), (UNIVERSITY, digital)]
for number, (issuer, of) in enumerate(named):
    grant = (i1, i2)[number % 2]
    grant.reports(f"invoice {number}", 90_000, {"issuer": issuer, "number": of, "total": fen(100_000)})
# B1: no item can name the invoice whose id is taken.
invoice = {"issuer": "2100999130", "number": "00000077", "total": fen(500)}
i2.reports("invoice taken", 500, invoice, fault="B1.invoice", refused="ALREADY_EXISTS")

# -------------------------------------------------------------------------------------------- 2017-05-10, what was dismissed grows

today(D2)
w_paid = next(last(line["answer"]) for line in JOURNAL if line["method"].endswith("SettleTranche") and line["request"]["grant_id"] == w.id)
key = {"rule": "A06", "subject": f"{w.id}/share/{party_id(LEADS['P'])}", "position": str(w_paid)}
grown = command(FUND, CLERK, "B2.grown", "AssignRectification", {"finding": key, "grant_id": w.id} | charge)["rectification_id"]
command(FUND, DIRECTOR, "B2.grown", "DismissFinding", {"rectification_id": grown, "minutes": "会议纪要4号", "reason": "金额较小"})
w.does(CLERK, "RecordMidtermCheck", {"passed": True, "report": "中期检查通过"})
w.paid(2)

# ---------------------------------------------------------------------- 2017-11-20, an acceptance is overdue; the follower stops

today(D3)
l3 = Grant("l3", LEADS["L"], 5_000, fault="B1.file").admitted()
h.authorised()
drafted("B1.link", SQUATTED_LINK, [WORKS, UNIVERSITY])
signed("B1.link", SQUATTED_LINK, [WORKS, UNIVERSITY])
until("the follower has stopped", lambda: "a reaction may not be refused" in (FOLDER / "up.log").read_text() or None)
time.sleep(2)
end = {"agreement_id": BACKED, "reason": "协商一致", "authority": "批复1号", "out_of_force_from": D3}
agrees("B1.link", "TerminateAgreement", end)
time.sleep(2)
# Money is instructed under an agreement that its own log has ended, for the fund does not hear of it.
h.instructed()

# ---------------------------------------------------------------------------------------------- the projection stops, the log goes on

for grant in (s1, s2, m):
    grant.paid()
before = int(call(FUND, "GetLogStatus", {})["answer"]["head"])
s1.reports("counted alike", 700)
until("the projection is where its figures are asked for", lambda: applied() > before)
# A1: the second recipient's own item has the same number. From here on 4a207de's projection stands still.
s2.reports("counted alike", 800)
for number, code in enumerate(PARTNERS):
    body = {"to_party_id": party_id(code), "amount": fen(500), "bank_reference": f"S-{number}"}
    m.does(applicant(m.lead), "TransferShare", body)
m.does(DIRECTOR, "CancelGrant", fraud)
s1.does(CLERK, "AcceptSpend", {"spend_id": own("spend counted alike")})
s2.does(CLERK, "AcceptSpend", {"spend_id": own("spend counted alike")})
today(D4)
command(FUND, CLERK, "", "SupplementProgramme", {"programme_id": PROGRAMME, "amount": fen(1_000)})

# ------------------------------------------------------------------------------------------------------------ what is there now

ask(FUND, "GetProgramme", {"programme_id": PROGRAMME})
for name, grant in Grant.all.items():
    ask(FUND, "GetGrant", {"grant_id": grant.id}, grant=name)
owed = [id for line in ANSWERS for id in line["answer"].get("grant", {}).get("recovery_ids", [])]
for id in owed:
    ask(FUND, "GetRecovery", {"recovery_id": id})
for id in (hidden, grown):
    ask(FUND, "GetRectification", {"rectification_id": id})
for code in [PROVINCE, UNIVERSITY, WORKS, SECOND, f"CN-USCC:{TWIN}", f"CN-USCI:{TWIN}", CODE_TAKEN] + [LEADS[it] for it in "XYZU"]:
    ask(AGREEMENT, "LookUpParty", {"code": code})
for agreement in (BACKED, SQUATTED_LINK, party_code_id(CODE_TAKEN), party_id(PARTY_TAKEN)):
    ask(AGREEMENT, "GetAgreement", {"agreement_id": agreement})
at = {"as_of": {"position": str(before)}}
ask(AUDIT, "GetProjectionStatus", {})
for by in ([], ["DIMENSION_GRANT"], ["DIMENSION_GRANT", "DIMENSION_PARTY"], ["DIMENSION_PERIOD"]):
    ask(AUDIT, "ListBalances", at | {"group_by": by, "page_size": 1000})
ask(AUDIT, "ListPostings", at | {"page_size": 1000})
ask(AUDIT, "ListFindings", at | {"on": D4, "page_size": 1000, "include_dismissed": True})
ask(AUDIT, "ListControlTests", at)
for log in (FUND, AGREEMENT):
    ask(log, "GetLogStatus", {})

for name, lines in (("commands", JOURNAL), ("answers", ANSWERS)):
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (FOLDER / f"{name}.jsonl").write_text(text)
    (FOLDER / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))

status = json.loads(subprocess.check_output([CONCORD, "--dir", str(FOLDER / "stack"), "up", "--status", "--json"]))
for database in ("agreement", "fund_grant", "funding_audit"):
    url = f"{status['database_url_base']}/{database}"
    dump = subprocess.check_output(["pg_dump", "--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges", url])
    # SQL alone, for a client that is not psql: newer releases of pg_dump write \restrict and \unrestrict around it.
    lines = dump.splitlines(keepends=True)
    text = b"".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict")))
    (FOLDER / f"{database}.sql.gz").write_bytes(gzip.compress(text, 9, mtime=0))
