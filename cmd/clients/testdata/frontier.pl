# SPDX-License-Identifier: GPL-2.0-or-later
#
# Perl, Frontier::Client. Arguments: address, user.

use strict;
use warnings;

use Frontier::Client;

my ($address, $user) = @ARGV;
my $client = Frontier::Client->new(url => $address);

# What looks like a number is sent as one, unless it is wrapped by string().
my $session = $client->call('login', $user, $client->string($ENV{NUCT_PASSWORD}));

my $filters = { proto => 'tcp', orig_dst => '198.51.100.0/24', id => '>=2147483648' };
my $view = $client->call('view', $session, $filters, 'mark', 'DESC', 0, 8);
print "total $view->{total}\n";
my @rows = @{ $view->{table} };
for my $r (@rows) {
    print join(' ', 'row', @{$r}{qw(id orig_ipv4_src orig_port_src orig_ipv4_dst orig_port_dst mark state)},
        $r->{assured}->value), "\n";
}

# A fault is an exception with the code in its text.
sub fault { return $@ =~ /fault code (-?\d+): (.*)/s ? "fault $1 $2" : "client $@" }

sub kill_by {
    my ($way, $row, $value) = @_;
    print "kill $way $row->{id} ";
    my $done = eval { $client->call('kill', $session, [$value]); 1 };
    my $text = $done ? 'ok' : fault();
    $text =~ s/\s+$//;
    print "$text\n";
}

kill_by('key', $rows[0], $rows[0]{key});
kill_by('string', $rows[1], $client->string($rows[1]{id}));
kill_by('integer', $rows[2], $rows[2]{id});
kill_by('double', $rows[3], $client->double($rows[3]{id}));
kill_by('negative', $rows[4], $rows[4]{id} - 2**32);

sub mark {
    my ($row) = @_;
    return $client->call('view', $session, { id => $row->{id} })->{table}[0]{mark};
}

$client->call('change', $session, 'mark', $rows[6]{key}, '4026531841');
print "stale $rows[6]{id} ", mark($rows[6]), "\n";
print 'nothing ', $client->call('refresh', $session)->value, "\n";
print "fresh $rows[6]{id} ", mark($rows[6]), "\n";
$client->call('change', $session, 'timeout', $rows[7]{key}, 86400);
print "timeout $rows[7]{id} 86400\n";

eval { $client->call('view', $session, { colour => 'red' }) };
print fault();
$client->call('logout', $session);
