# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads documents with Python's xmlrpc.client.

Standard input has one document a line, in base64. For each, a line of JSON is printed: null
if it is not well-formed XML, false if Python refuses it all the same, else [method, params],
each value as [type, content]. Doubles are given by their bits, bytes and texts in hexadecimal.
"""

import base64
import json
import struct
import sys
import xmlrpc.client
from xml.parsers import expat


def shown(v):
    if v is None:
        return ["nil", None]
    if isinstance(v, bool):
        return ["boolean", int(v)]
    if isinstance(v, int):
        return ["int", str(v)]
    if isinstance(v, float):
        return ["double", struct.pack(">d", v).hex()]
    if isinstance(v, str):
        return ["string", v.encode().hex()]
    if isinstance(v, xmlrpc.client.DateTime):
        return ["dateTime.iso8601", v.value.encode().hex()]
    if isinstance(v, xmlrpc.client.Binary):
        return ["base64", v.data.hex()]
    if isinstance(v, dict):
        return ["struct", [[name.encode().hex(), shown(member)] for name, member in v.items()]]
    return ["array", [shown(item) for item in v]]


def read(document):
    try:
        params, method = xmlrpc.client.loads(document)
        return [method, [shown(p) for p in params]]
    except expat.ExpatError:
        return None
    except Exception:
        # It may have been refused before the parser saw all of it.
        try:
            expat.ParserCreate().Parse(document, True)
            return False
        except (expat.ExpatError, LookupError, ValueError):  # also of unknown charsets
            return None


for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(line))))
