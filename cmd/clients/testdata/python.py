# SPDX-License-Identifier: GPL-2.0-or-later
"""Python, xmlrpc.client of the standard library.

Arguments: address, user, and names of options of ServerProxy to switch on.
"""

import os
import sys
import xmlrpc.client

address, user, *options = sys.argv[1:]
server = xmlrpc.client.ServerProxy(address, **dict.fromkeys(options, True))
session = server.login(user, os.environ["NUCT_PASSWORD"])

filters = {"proto": "tcp", "orig_dst": "198.51.100.0/24", "id": ">=2147483648"}
view = server.view(session, filters, "mark", "DESC", 0, 8)
print("total", view["total"])
rows = view["table"]
for r in rows:
    print("row", r["id"], r["orig_ipv4_src"], r["orig_port_src"], r["orig_ipv4_dst"], r["orig_port_dst"],
          r["mark"], r["state"], int(r["assured"]))
print("type", type(rows[0]["id"]).__name__)


def kill(way, row, value):
    print("kill", way, row["id"], end=" ")
    try:
        server.kill(session, [value(row)])
        print("ok")
    except xmlrpc.client.Fault as fault:
        print("fault", fault.faultCode, fault.faultString)
    except OverflowError as error:
        print("client", error)


kill("key", rows[0], lambda r: r["key"])
kill("string", rows[1], lambda r: str(r["id"]))
kill("integer", rows[2], lambda r: int(r["id"]))
kill("double", rows[3], lambda r: float(r["id"]))
kill("negative", rows[4], lambda r: int(r["id"]) - 2**32)


def mark(row):
    return server.view(session, {"id": str(row["id"])})["table"][0]["mark"]


server.change(session, "mark", rows[6]["key"], "4026531841")
print("stale", rows[6]["id"], mark(rows[6]))
print("nothing", server.refresh(session))
print("fresh", rows[6]["id"], mark(rows[6]))
server.change(session, "timeout", rows[7]["key"], 86400)
print("timeout", rows[7]["id"], 86400)

try:
    server.view(session, {"colour": "red"})
except xmlrpc.client.Fault as fault:
    print("fault", fault.faultCode, fault.faultString)
server.logout(session)
