/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * C, xmlrpc-c. Arguments: address, user.
 * cc xmlrpc_c.c $(xmlrpc-c-config client --cflags --libs)
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xmlrpc-c/base.h>
#include <xmlrpc-c/client.h>

static xmlrpc_env env;
static xmlrpc_client *client;
static const char *address;

static void must(void)
{
	if (env.fault_occurred) {
		fprintf(stderr, "%d %s\n", env.fault_code, env.fault_string);
		exit(1);
	}
}

/* call returns NULL and leaves the fault in env if there is one. */
static xmlrpc_value *call(const char *method, const char *format, ...)
{
	xmlrpc_value *params = NULL, *result = NULL;
	const char *end;
	va_list args;

	xmlrpc_env_clean(&env);
	xmlrpc_env_init(&env);
	va_start(args, format);
	xmlrpc_build_value_va(&env, format, args, &params, &end);
	va_end(args);
	must();
	xmlrpc_server_info *server = xmlrpc_server_info_new(&env, address);
	must();
	xmlrpc_client_call2(&env, client, server, method, params, &result);
	xmlrpc_server_info_free(server);
	xmlrpc_DECREF(params);
	return result;
}

/* text returns a member in decimal or as it is: ids are strings, or i8 with /RPC2/i8. */
static const char *text(xmlrpc_value *row, const char *name)
{
	static char numbers[8][24];
	static int next;
	char *number = numbers[next++ % 8];
	const char *string;
	xmlrpc_value *v;
	xmlrpc_int64 wide;
	int narrow;

	xmlrpc_struct_find_value(&env, row, name, &v);
	must();
	switch (xmlrpc_value_type(v)) {
	case XMLRPC_TYPE_STRING:
		xmlrpc_read_string(&env, v, &string);
		must();
		return string;
	case XMLRPC_TYPE_I8:
		xmlrpc_read_i8(&env, v, &wide);
		snprintf(number, 24, "%lld", (long long)wide);
		break;
	case XMLRPC_TYPE_BOOL:
		xmlrpc_read_bool(&env, v, &narrow);
		snprintf(number, 24, "%d", narrow);
		break;
	default:
		xmlrpc_read_int(&env, v, &narrow);
		snprintf(number, 24, "%d", narrow);
	}
	must();
	return number;
}

static void killed(const char *way, xmlrpc_value *row, xmlrpc_value *result)
{
	if (result) {
		xmlrpc_DECREF(result);
		printf("kill %s %s ok\n", way, text(row, "id"));
	} else {
		int code = env.fault_code;
		char *why = strdup(env.fault_string);
		xmlrpc_env_clean(&env);
		xmlrpc_env_init(&env);
		printf("kill %s %s fault %d %s\n", way, text(row, "id"), code, why);
		free(why);
	}
}

static xmlrpc_value *row(xmlrpc_value *view, int i)
{
	xmlrpc_value *table, *r;

	must();
	xmlrpc_struct_find_value(&env, view, "table", &table);
	must();
	xmlrpc_array_read_item(&env, table, i, &r);
	must();
	return r;
}

static const char *type(xmlrpc_value *row)
{
	xmlrpc_value *id;

	xmlrpc_struct_find_value(&env, row, "id", &id);
	must();
	return xmlrpc_value_type(id) == XMLRPC_TYPE_I8 ? "i8" : "string";
}

int main(int argc, char **argv)
{
	const char *session;
	xmlrpc_value *view, *r[8];
	int i;

	if (argc != 3)
		return 2;
	address = argv[1];
	xmlrpc_env_init(&env);
	xmlrpc_client_setup_global_const(&env);
	xmlrpc_client_create(&env, XMLRPC_CLIENT_NO_FLAGS, "example", "1", NULL, 0, &client);
	must();

	xmlrpc_value *login = call("login", "(ss)", argv[2], getenv("NUCT_PASSWORD"));
	must();
	xmlrpc_read_string(&env, login, &session);

	view = call("view", "(s{s:s,s:s,s:s}ssii)", session, "proto", "tcp", "orig_dst", "198.51.100.0/24",
		    "id", ">=2147483648", "mark", "DESC", 0, 8);
	must();
	printf("total %s\n", text(view, "total"));
	for (i = 0; i < 8; i++) {
		r[i] = row(view, i);
		printf("row %s %s %s %s %s %s %s %s\n", text(r[i], "id"), text(r[i], "orig_ipv4_src"),
		       text(r[i], "orig_port_src"), text(r[i], "orig_ipv4_dst"), text(r[i], "orig_port_dst"),
		       text(r[i], "mark"), text(r[i], "state"), text(r[i], "assured"));
	}
	printf("type %s\n", type(r[0]));

#define ID(i) strtoul(text(r[i], "id"), NULL, 10)
	killed("key", r[0], call("kill", "(s(s))", session, text(r[0], "key")));
	killed("string", r[1], call("kill", "(s(s))", session, text(r[1], "id")));
	killed("i8", r[2], call("kill", "(s(I))", session, (xmlrpc_int64)ID(2)));
	killed("double", r[3], call("kill", "(s(d))", session, (double)ID(3)));
	killed("negative", r[4], call("kill", "(s(i))", session, (xmlrpc_int32)ID(4)));

	call("change", "(ssss)", session, "mark", text(r[6], "key"), "4026531841");
	must();
	printf("stale %s %s\n", text(r[6], "id"),
	       text(row(call("view", "(s{s:s})", session, "id", text(r[6], "id")), 0), "mark"));
	xmlrpc_value *nothing = call("refresh", "(s)", session);
	must();
	printf("nothing %s\n", xmlrpc_value_type(nothing) == XMLRPC_TYPE_NIL ? "nil" : "boolean");
	printf("fresh %s %s\n", text(r[6], "id"),
	       text(row(call("view", "(s{s:s})", session, "id", text(r[6], "id")), 0), "mark"));
	call("change", "(sssi)", session, "timeout", text(r[7], "key"), 86400);
	must();
	printf("timeout %s 86400\n", text(r[7], "id"));

	call("view", "(s{s:s})", session, "colour", "red");
	printf("fault %d %s\n", env.fault_code, env.fault_string);
	call("logout", "(s)", session);
	must();
	return 0;
}
