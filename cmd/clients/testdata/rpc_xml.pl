# SPDX-License-Identifier: GPL-2.0-or-later
#
# Perl, RPC::XML::Client. Arguments: address, user.

use strict;
use warnings;

use RPC::XML;
use RPC::XML::Client;

my ($address, $user) = @ARGV;
my $client = RPC::XML::Client->new($address);

# call dies with [code, text] for a fault. What looks like a number is sent as one,
# unless it is wrapped in RPC::XML::string.
sub call {
    my $answer = $client->send_request(@_);
    die $answer unless ref $answer;
    die [$answer->code, $answer->string] if $answer->is_fault;
    return $answer->value;
}

my $session = call('login', $user, RPC::XML::string->new($ENV{NUCT_PASSWORD}));

my $filters = { proto => 'tcp', orig_dst => '198.51.100.0/24', id => '>=2147483648' };
my $view = call('view', $session, $filters, 'mark', 'DESC', 0, 8);
print "total $view->{total}\n";
my @rows = @{ $view->{table} };
for my $r (@rows) {
    print join(' ', 'row', @{$r}{qw(id orig_ipv4_src orig_port_src orig_ipv4_dst orig_port_dst mark state assured)}), "\n";
}

sub kill_by {
    my ($way, $row, $value) = @_;
    print "kill $way $row->{id} ";
    if (eval { call('kill', $session, [$value]); 1 }) {
        print "ok\n";
    } elsif (ref $@) {
        print "fault @{$@}\n";
    } else {
        print "client $@\n";
    }
}

kill_by('key', $rows[0], $rows[0]{key});
kill_by('string', $rows[1], RPC::XML::string->new($rows[1]{id}));
kill_by('integer', $rows[2], $rows[2]{id});
kill_by('double', $rows[3], RPC::XML::double->new($rows[3]{id}));
kill_by('negative', $rows[4], $rows[4]{id} - 2**32);
kill_by('i8', $rows[5], RPC::XML::i8->new($rows[5]{id}));

sub mark {
    my ($row) = @_;
    return call('view', $session, { id => $row->{id} })->{table}[0]{mark};
}

call('change', $session, 'mark', $rows[6]{key}, '4026531841');
print "stale $rows[6]{id} ", mark($rows[6]), "\n";
print 'nothing ', call('refresh', $session) // 'undef', "\n";
print "fresh $rows[6]{id} ", mark($rows[6]), "\n";
call('change', $session, 'timeout', $rows[7]{key}, 86400);
print "timeout $rows[7]{id} 86400\n";

eval { call('view', $session, { colour => 'red' }) };
print "fault @{$@}\n";
call('logout', $session);
