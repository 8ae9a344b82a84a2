# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ruby, xmlrpc/client. Arguments: address, user.

require "xmlrpc/client"

address, user = ARGV
# /RPC2/i8 answers <nil/> where there is nothing to return.
XMLRPC::Config.send(:remove_const, :ENABLE_NIL_PARSER)
XMLRPC::Config::ENABLE_NIL_PARSER = true
server = XMLRPC::Client.new2(address)
session = server.call("login", user, ENV["NUCT_PASSWORD"])

filters = { "proto" => "tcp", "orig_dst" => "198.51.100.0/24", "id" => ">=2147483648" }
view = server.call("view", session, filters, "mark", "DESC", 0, 8)
puts "total #{view["total"]}"
rows = view["table"]
rows.each do |r|
  puts ["row", r["id"], r["orig_ipv4_src"], r["orig_port_src"], r["orig_ipv4_dst"], r["orig_port_dst"],
        r["mark"], r["state"], r["assured"] ? 1 : 0].join(" ")
end
puts "type #{rows[0]["id"].class}"

kill = lambda do |way, row, value|
  print "kill #{way} #{row["id"]} "
  begin
    server.call("kill", session, [value])
    puts "ok"
  rescue XMLRPC::FaultException => fault
    puts "fault #{fault.faultCode} #{fault.faultString}"
  rescue RuntimeError => error
    puts "client #{error.message}"
  end
end

kill.call("key", rows[0], rows[0]["key"])
kill.call("string", rows[1], rows[1]["id"].to_s)
kill.call("integer", rows[2], rows[2]["id"].to_i)
kill.call("double", rows[3], rows[3]["id"].to_f)
kill.call("negative", rows[4], rows[4]["id"].to_i - 2**32)

mark = ->(row) { server.call("view", session, { "id" => row["id"].to_s })["table"][0]["mark"] }

server.call("change", session, "mark", rows[6]["key"], "4026531841")
puts "stale #{rows[6]["id"]} #{mark.call(rows[6])}"
puts "nothing #{server.call("refresh", session).inspect}"
puts "fresh #{rows[6]["id"]} #{mark.call(rows[6])}"
server.call("change", session, "timeout", rows[7]["key"], 86400)
puts "timeout #{rows[7]["id"]} 86400"

begin
  server.call("view", session, { "colour" => "red" })
rescue XMLRPC::FaultException => fault
  puts "fault #{fault.faultCode} #{fault.faultString}"
end
server.call("logout", session)
