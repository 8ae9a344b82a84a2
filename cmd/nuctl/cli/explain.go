// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"fmt"
	"net/http"

	"nuconntrack/cmd/nuctl/client"
)

// explain puts a failed call into the user's words: what happened, what to do next, and
// the exit code.
func explain(e *client.Error) (text, next string, code int) {
	switch e.Kind {
	case client.Faulted:
		return explainFault(e)
	case client.Status:
		return explainStatus(e)
	case client.Unreachable:
		if refusedByPeer(e) {
			code = exitDenied
		} else {
			code = exitFailed
		}
		return fmt.Sprintf("cannot reach %s: %v", e.Server, cause(e.Err)), whenUnreachable(e.Err), code
	case client.Timeout:
		return fmt.Sprintf("%s: %s: no answer in time", e.Server, e.Method),
			"a firewall may drop the packets, or the server be busy: see 'systemctl status nuconntrack-frontd' there, or wait longer with --timeout", exitFailed
	case client.BadAnswer:
		return fmt.Sprintf("%s: %s: %v", e.Server, e.Method, e.Err),
			"this does not look like a NuConntrack server: check --server or NUCTL_SERVER", exitFailed
	}
	return e.Error(), "", exitFailed
}

func explainFault(e *client.Error) (text, next string, code int) {
	text, code = e.Text, exitFailed
	if text == "" {
		text = fmt.Sprintf("%s failed", e.Method)
	}
	text = fmt.Sprintf("%s (fault %d)", text, e.Code)
	switch e.Code {
	case client.FaultAuthentication:
		return text, "check --user or NUCTL_USER, and give the password at the prompt, by --password-file or --password-command; a server that wants a client certificate takes it by --cert-file; 'nuctl config' shows what holds", exitDenied
	case client.FaultSession:
		return text, "the session ended in the meantime: run the command again", exitDenied
	case client.FaultPermission:
		return text, "log in as a user whose role allows it", exitDenied
	case client.FaultUnknown:
		next = "it may have ended: 'nuctl list' shows what is there"
	case client.FaultAmbiguous:
		next = "find its key with 'nuctl list --filter id=ID -o table --fields id,key,orig_src,orig_dst' and use that"
	case client.FaultPolicy:
		next = "the helper's policy decides, whoever asks: on the firewall, /etc/nuconntrack/policy.toml unless it was started with another"
	case client.FaultReplaced:
		next = "a new connection has taken its place: look at it with 'nuctl list' before you act on it"
	case client.FaultKernel:
		next = "the journal has more: 'journalctl -u nuconntrack-privd' on the firewall"
	case client.FaultHelper:
		next = "look at 'systemctl status nuconntrack-privd.socket nuconntrack-privd' on the firewall"
	case client.FaultBusy:
		next = "wait that long and run the command again"
	case client.FaultFixed:
		next = "the kernel takes no second timeout: let the connection end, or kill it"
	case client.FaultSnapshot:
		next = "the server needed the room for newer tables: run the command again, with a filter or --limit if it happens often"
	case client.FaultMethod:
		next = "the server is older than this nuctl: compare 'nuconntrack-frontd --version' there"
	case client.FaultParameters:
		return text, "the names of fields and filters are in the API reference; 'nuctl list --help' has the most used", exitUsage
	}
	return text, next, code
}

func explainStatus(e *client.Error) (text, next string, code int) {
	text = fmt.Sprintf("%s answered with HTTP status %d %s", e.Server, e.Code, http.StatusText(e.Code))
	switch {
	case e.Basic:
		return text, "what stands before the server wants a user and password: check them, and that http_auth is not never", exitDenied
	case e.Code == http.StatusUnauthorized:
		return text, "what stands before the server wants a login of its own, other than HTTP's Basic", exitDenied
	case e.Code == http.StatusForbidden:
		return text, "what stands before the server does not let you in", exitDenied
	case e.Code == http.StatusBadRequest:
		return text, "a port that speaks TLS answers so to http://: try https://", exitFailed
	case e.Code == http.StatusBadGateway, e.Code == http.StatusServiceUnavailable, e.Code == http.StatusGatewayTimeout:
		return text, "the proxy does not reach the server: see 'systemctl status nuconntrack-frontd' there", exitFailed
	case e.Code == http.StatusNotFound:
		return text, "the path is /RPC2 unless something before the server changes it: check --server or NUCTL_SERVER", exitFailed
	case e.Code == http.StatusMisdirectedRequest:
		return text, "the server does not know itself by this name: add it to 'hosts' in frontd.toml there, or use the IP address", exitFailed
	case e.Code >= 300 && e.Code < 400:
		return text, "redirects are not followed, they could send the password elsewhere: give the final address with --server", exitFailed
	}
	return text, "check --server or NUCTL_SERVER", exitFailed
}
