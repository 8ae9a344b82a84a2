<?php
// SPDX-License-Identifier: GPL-2.0-or-later
//
// PHP, the extension xmlrpc. Arguments: address, user.

[, $address, $user] = $argv;

class Fault extends Exception {}

function call(string $method, ...$params)
{
    global $address;
    $answer = file_get_contents($address, false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: text/xml',
        'content' => xmlrpc_encode_request($method, $params),
    ]]));
    $value = xmlrpc_decode($answer, 'UTF-8');
    if (is_array($value) && xmlrpc_is_fault($value)) {
        throw new Fault($value['faultString'], $value['faultCode']);
    }
    return $value;
}

$session = call('login', $user, getenv('NUCT_PASSWORD'));

$filters = ['proto' => 'tcp', 'orig_dst' => '198.51.100.0/24', 'id' => '>=2147483648'];
$view = call('view', $session, $filters, 'mark', 'DESC', 0, 8);
echo "total {$view['total']}\n";
$rows = $view['table'];
foreach ($rows as $r) {
    echo implode(' ', ['row', $r['id'], $r['orig_ipv4_src'], $r['orig_port_src'], $r['orig_ipv4_dst'],
        $r['orig_port_dst'], $r['mark'], $r['state'], (int) $r['assured']]), "\n";
}
echo 'type ', gettype($rows[0]['id']), "\n";

function kill(string $way, array $row, $value): void
{
    global $session;
    echo "kill $way {$row['id']} ";
    try {
        call('kill', $session, [$value]);
        echo "ok\n";
    } catch (Fault $fault) {
        echo "fault {$fault->getCode()} {$fault->getMessage()}\n";
    }
}

kill('key', $rows[0], $rows[0]['key']);
kill('string', $rows[1], $rows[1]['id']);
kill('integer', $rows[2], (int) $rows[2]['id']);
kill('double', $rows[3], (float) $rows[3]['id']);
kill('negative', $rows[4], (int) $rows[4]['id'] - 2 ** 32);

function mark(array $row): string
{
    global $session;
    return call('view', $session, ['id' => $row['id']])['table'][0]['mark'];
}

call('change', $session, 'mark', $rows[6]['key'], '4026531841');
echo "stale {$rows[6]['id']} ", mark($rows[6]), "\n";
echo 'nothing ', var_export(call('refresh', $session), true), "\n";
echo "fresh {$rows[6]['id']} ", mark($rows[6]), "\n";
call('change', $session, 'timeout', $rows[7]['key'], 86400);
echo "timeout {$rows[7]['id']} 86400\n";

// PHP cannot tell an empty struct from an empty array: both are taken.
call('view', $session, [], 'id', 'ASC', 0, 1, []);
try {
    call('view', $session, ['colour' => 'red']);
} catch (Fault $fault) {
    echo "fault {$fault->getCode()} {$fault->getMessage()}\n";
}
call('logout', $session);
