# SPDX-License-Identifier: GPL-2.0-or-later
"""A client as an administrator writes one: the standard library and nothing else.

Arguments: address, user. The password is the first line of standard input. After each step a
line of JSON says what was done; the line "go" on standard input is waited for before the next
one, so that somebody else can look at the kernel meanwhile.
"""

import json
import re
import sys
import xmlrpc.client

address, user = sys.argv[1:]
password = sys.stdin.readline().rstrip("\n")
server = xmlrpc.client.ServerProxy(address)


def check(so, what):
    if not so:
        sys.exit("wrong: %s" % (what,))


def equal(got, want, what):
    check(got == want, "%s: got %r, want %r" % (what, got, want))


def fault(code, says, call, *args):
    try:
        got = call(*args)
    except xmlrpc.client.Fault as f:
        equal(f.faultCode, code, f.faultString)
        check(says in f.faultString, f.faultString)
    else:
        sys.exit("wrong: no fault %d, but %r" % (code, got))


def step(name, **what):
    print(json.dumps(dict(what, step=name)), flush=True)
    check(sys.stdin.readline() == "go\n", "the test has ended")


def rows(filters, **options):
    server.refresh(session)
    view = server.view(session, filters, "orig_src", "ASC", 0, 5000, options)
    equal(view["total"], len(view["table"]), "total")
    equal(view["length"], len(view["table"]), "length")
    check(view["count"] >= view["total"], "count")
    return view["table"]


def one(filters):
    found = rows(filters)
    equal(len(found), 1, filters)
    return found[0]


# Introspection needs no login.
methods = server.system.listMethods()
for m in ("login", "logout", "whoami", "view", "kill", "change", "refresh", "set_autorefresh", "fields", "stats"):
    check(m in methods, m + " is not listed")
    check(m in server.system.methodHelp(m), "no help for " + m)
    check(server.system.methodSignature(m), "no signature of " + m)
check("faults_interop" in server.system.getCapabilities(), "capabilities")

# Who gets in.
fault(1, "authentication", server.login, user, password + "x")
fault(1, "authentication", server.login, user + "x", password)
fault(1, "authentication", server.login, user, "")
fault(-32602, "", server.login, user)
fault(2, "", server.view, "no such session")
session = server.login(user, password)
check(re.match(r"[A-Za-z]\S{40,}$", session), "session id")
who = server.whoami(session)
equal(who["user"], user, "user")
check("kill" in who["methods"], "methods")
step("in")

# What is there.
fields = {f["name"]: f for f in server.fields(session)}
check(fields["mark"]["type"] == "string" and fields["mark"]["filter"], "fields")
stats = server.stats(session)
check(stats["count"] > 40 and stats["accounting"] is True, stats)

web = one({"port": 443, "mark": "5"})
equal(web["orig_ipv4_src"], "192.0.2.1", "web")
equal((web["orig_l4proto"], web["state"], web["tcp_state"]), (6, "ESTABLISHED", 3), "web")
check(isinstance(web["id"], str) and isinstance(web["orig_port_dst"], int), "types")
dns = one({"proto": "udp", "orig_src": "2001:db8::/32"})
equal(dns["orig_ipv6_dst"], "2001:db8::53", "dns")
check("orig_ipv4_src" not in dns, "an address of the other family")
zoned = one({"orig_zone": 7})
check("repl_zone" not in zoned and "zone" not in zoned, "the zone of one direction")
ping = one({"proto": "ICMP", "orig_src": "192.0.2.0/24"})
equal((ping["icmp_type"], ping["icmp_code"]), (8, 0), "ping")
own = [r for r in rows({"orig_port_dst": 8580}) if r["seen_reply"]]
check(own and int(own[0]["orig_counter_bytes"]) > 0, "this client's own connection, counted")

many = {"orig_src": "203.0.113.0/24", "proto": "tcp"}
equal(len(rows(many)), 40, "the many")
equal(len(rows(dict(many, orig_port_src="1000-1009"))), 10, "range")
equal(len(rows(dict(many, orig_port_src=">=1030"))), 10, "comparison")
equal(len(rows(dict(many, orig_port_src="!1000"))), 39, "not")
equal(len(rows(dict(many, orig_port_src=[1000, "1001-1002"]))), 3, "any of")
equal(len(rows(dict(many, orig_src=3405803777.0))), 1, "an address as a number, as Python can send it")
equal(rows({"address": "240.0.0.1"}), [], "nothing")
equal(set(rows(many, fields=["key", "proto"])[0]), {"key", "proto"}, "fields that were asked for")
fault(-32602, "colour", server.view, session, {"colour": "red"})

# Sorting, and pages of one table.
ports = [r["orig_port_src"] for r in server.view(session, many, "orig_port_src", "DESC")["table"]]
equal(ports, list(range(1039, 999, -1)), "descending")
keys, options = [], {}
for start in range(0, 60, 15):
    page = server.view(session, many, "orig_port_src", "A", start, 15, options)
    equal((page["total"], page["start"]), (40, start), "page")
    keys += [r["key"] for r in page["table"]]
    options = {"snapshot": page["snapshot"]}
    server.refresh(session)  # a newer table must not matter to the pages
equal((len(keys), len(set(keys))), (40, 40), "rows on all pages")
fault(12, "", server.view, session, {}, "id", "ASC", 0, 5, {"snapshot": "gone"})
step("looked", id=web["id"])

# Kill one by key, one by id, and what is not there.
by_key, by_id = rows(dict(many, orig_port_src=[1000, 1001]))
equal(server.kill(session, [by_key["key"]]), True, "kill")
step("killed", id=by_key["id"])
equal(server.kill(session, [int(by_id["id"]) if int(by_id["id"]) < 2**31 else by_id["id"]]), True, "kill")
step("killed", id=by_id["id"])
equal(server.kill(session, [by_key["key"], by_id["id"]]), True, "kill again what is gone")
equal(server.kill(session, []), True, "kill nothing")
equal(rows(dict(many, orig_port_src=[1000, 1001])), [], "killed")
fault(4, "no such connection", server.kill, session, [by_key["key"]])
equal(server.kill(session, [zoned["key"]]), True, "kill in a zone of one direction")
step("killed", id=zoned["id"])

# Marks.
equal(server.change(session, "mark", web["key"], 77), True, "change")
step("marked", id=web["id"], mark=77)
server.change(session, "mark", web["key"], "4294967295")
step("marked", id=web["id"], mark=4294967295)
server.change(session, "mark", web["key"], "0x10/0xf0")
step("marked", id=web["id"], mark=0xFFFFFF1F)
server.change(session, "mark", web["id"], 0)
step("marked", id=web["id"], mark=0)
equal(one({"id": web["id"]})["mark"], "0", "mark in the view")

# A timeout, which is fixed then.
check(not one({"id": dns["id"]})["fixed_timeout"], "fixed already")
server.change(session, "timeout", dns["key"], 4321)
step("fixed", id=dns["id"], timeout=4321)
check(one({"id": dns["id"]})["fixed_timeout"], "fixed")
fault(11, "fixed", server.change, session, "timeout", dns["key"], 99)
step("fixed", id=dns["id"], timeout=4321)
server.change(session, "mark", dns["key"], 9)
step("marked", id=dns["id"], mark=9)

# Tables that stay, and tables that do not.
server.refresh(session)
server.set_autorefresh(session, 0)
kept = server.view(session)["snapshot"]
step("added")
equal(server.view(session)["snapshot"], kept, "without autorefresh")
equal(server.view(session, {"mark": "123456"})["total"], 0, "without autorefresh")
server.refresh(session)
check(server.view(session)["snapshot"] != kept, "refresh without autorefresh")
equal(server.view(session, {"mark": "123456"})["total"], 1, "after refresh")
server.set_autorefresh(session, 1)

equal(server.logout(session), True, "logout")
for call in (server.logout, server.whoami, server.view, server.stats, server.refresh, server.fields):
    fault(2, "", call, session)
fault(2, "", server.kill, session, [web["key"]])
fault(2, "", server.change, session, "mark", web["key"], 1)
step("out")
