#!/usr/bin/python3
"""NetFlow v5, v9 and IPFIX: datagrams of real exporters against what another collector made of them, and over UDP.

The other collector's names are mapped to IPFIX's. Two things it does differently are allowed for: times relative to the
exporter's start are a second late in it unless they are whole seconds, and some values are shown in parts.
"""
import calendar
import ipaddress
import json
import socket
import struct
import time

import harness as h

# NetFlow v9's old names.
NAMES = dict(
    ipv4_src_addr='sourceIPv4Address', ipv4_dst_addr='destinationIPv4Address', l4_src_port='sourceTransportPort',
    l4_dst_port='destinationTransportPort', protocol='protocolIdentifier', in_bytes='octetDeltaCount', in_pkts='packetDeltaCount',
    input_snmp='ingressInterface', output_snmp='egressInterface', src_tos='ipClassOfService', direction='flowDirection',
    tcp_flags='tcpControlBits', ip_protocol_version='ipVersion', src_mask='sourceIPv4PrefixLength', dst_mask='destinationIPv4PrefixLength',
    ipv4_next_hop='ipNextHopIPv4Address', bgp_ipv4_next_hop='bgpNextHopIPv4Address', src_as='bgpSourceAsNumber',
    dst_as='bgpDestinationAsNumber', src_vlan='vlanId', dst_vlan='postVlanId', flow_seq_num='sequence', flowset_id='templateId',
    flow_sampler_id='samplerId', forwarding_status='forwardingStatus', application_id='applicationId', application_name='applicationName',
    xlate_src_addr_ipv4='postNATSourceIPv4Address', xlate_dst_addr_ipv4='postNATDestinationIPv4Address',
    xlate_src_port='postNAPTSourceTransportPort', xlate_dst_port='postNAPTDestinationTransportPort', in_src_mac='sourceMacAddress',
    in_dst_mac='destinationMacAddress', out_src_mac='postSourceMacAddress', out_dst_mac='postDestinationMacAddress',
    out_bytes='postOctetDeltaCount', out_pkts='postPacketDeltaCount', flow_end_reason='flowEndReason', conn_id='flowId',
    icmp_type='icmpTypeIPv4', icmp_code='icmpCodeIPv4', fw_event='firewallEvent', fw_ext_event='extendedFirewallEvent',
    event_time_msec='observationTimeMilliseconds', in_permanent_bytes='octetTotalCount', flow_start_msec='flowStartMilliseconds',
    ingress_acl_id='ingressAclId', egress_acl_id='egressAclId', username='userName', scope_system='scopeSystem',
    total_flows_exp='exportedFlowRecordTotalCount', total_pkts_exp='exportedMessageTotalCount', flows='deltaFlowCount',
    nprobe_proto='nprobeL7Protocol', nprobe_proto_name='nprobeL7ProtocolName', sampling_algorithm='samplingAlgorithm',
    sampling_interval='samplingInterval', engine_id='engineId', rev_flow_delta_bytes='responderOctets', ipv4_src_prefix='sourceIPv4Prefix',
    tcp_src_port='tcpSourcePort', udp_dst_port='udpDestinationPort', ip_dscp='ipDiffServCodePoint', ipv4_ident='fragmentIdentification',
    mpls_label_stack_octets='mplsLabelStackLength', first_switched='flowStart', last_switched='flowEnd')


def millis(text):
    whole, _, part = text.rstrip('Z').partition('.')
    return calendar.timegm(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) * 1000 + int((part + '000')[:3] or 0)


def same(name, want, event):
    got = event['fields'].get(NAMES.get(name, name))
    if name in ('first_switched', 'last_switched'):
        return got is not None and millis(want) - millis(got) in (0, 1000)
    if isinstance(want, str) and want.endswith('Z') and want[4:5] == '-':
        got = event['fields'].get('flowStart' if 'Start' in name else 'flowEnd')
        return got is not None and millis(want) == millis(got)
    if name == 'forwarding_status':
        return got is not None and dict(status=got >> 6, reason=got & 63) == want
    if name == 'mpls_label_stack_octets':
        return got == want['label'] << 12 | want['experimental'] << 9 | want['bottom_of_stack'] << 8 | want['ttl']
    if isinstance(want, str) and isinstance(got, str):
        def plain(text):  # bytes that are no text are shown as U+FFFD, or in hexadecimal
            return ''.join(c for c in text if ' ' <= c <= '~')
        return plain(got) == plain(want) or want.encode('latin-1', 'replace').hex() == got
    return got == want


def lines_of(packets, exporter='192.0.2.1'):
    return ''.join('netflow %s 2055 hex %s\n' % (exporter, p.hex()) for p in packets).encode()


def decode(packets):
    path = folder / 'packets.txt'
    path.write_bytes(lines_of(packets))
    r = h.run([vedette, 'decode', path])
    return [json.loads(l) for l in r.out.decode('utf-8', 'replace').splitlines()]


def cases():
    data = h.data('data/netflow/cases.jsonl')
    if data is None:
        h.skip_part('packets of real exporters', 'no real data')
        return []
    out = []
    for line in data.read_text().splitlines():
        case = json.loads(line)
        case['packets'] = [(data.parent / 'packets' / p).read_bytes() for p in case['packets']]
        out.append(case)
    return out


def against_another(all_cases):
    right = total = 0
    for case in all_cases:
        got = decode(case['packets'])
        flows = [e for e in got if 'undecodedSet' not in e['fields'] and e['type'].startswith('network/netflow')]
        if case['expected_count'] is not None:
            h.check('%s: %d flows' % (case['case'], case['expected_count']),
                    len(flows) == case['expected_count'], lambda: 'got %d' % len(flows))
        for want in case['expected_events']:
            total += 1
            fields = want['netflow']
            best = max(flows, key=lambda e: sum(same(k, v, e) for k, v in fields.items()), default=None)
            wrong = [(k, v, best and best['fields'].get(NAMES.get(k, k))) for k, v in fields.items() if not best or not same(k, v, best)]
            if best and millis(best['time']) != millis(want['@timestamp']):
                wrong.append(('@timestamp', want['@timestamp'], best['time']))
            if h.check('%s: every field' % case['case'], not wrong, wrong):
                right += 1
    if all_cases:
        h.note('%d of %d flows are right' % (right, total))


def v5(count=2, sequence=7):
    head = struct.pack('>HHIIIIBBH', 5, count, 1000000, 1700000000, 500000000, sequence, 0, 1, 0)
    return head + b''.join(struct.pack('>4s4s4sHHIIIIHHBBBBHHBBH', ipaddress.ip_address('192.0.2.%d' % (i + 1)).packed, bytes([198, 51, 100, 7]),
                                       bytes(4), 1, 2, 5, 600, 990000, 995000, 40000 + i, 443, 0, 27, 6, 0, 64500, 64501, 24, 24, 0)
                           for i in range(count))


TEMPLATE = struct.pack('>HHIIII', 9, 1, 1000, 1700000001, 1, 77) + struct.pack('>HHHH', 0, 20, 300, 3) + struct.pack('>HHHHHH', 8, 4, 12, 4, 1, 4)


def data_v9(n):
    return (struct.pack('>HHIIII', 9, 1, 1000, 1700000002, 2, 77) + struct.pack('>HH', 300, 16) + bytes([192, 0, 2, n, 203, 0, 113, 9]) +
            struct.pack('>I', n * 10))


def own():
    events = decode([v5()])
    h.equal('v5: a flow each', [e['fields'].get('src_ip') for e in events], ['192.0.2.1', '192.0.2.2'])
    f = events[0]['fields']
    h.equal('v5: common fields', [f.get(k) for k in ('dst_ip', 'src_port', 'dst_port', 'protocol', 'bytes_in', 'action', 'host')],
            ['198.51.100.7', 40000, 443, 'tcp', 600, 'connection', '192.0.2.1'])
    h.equal('v5: times', (events[0]['time'], f['flowStart'], f['flowEnd']),
            ('2023-11-14T22:13:20.500Z', '2023-11-14T22:13:10.500Z', '2023-11-14T22:13:15.500Z'))
    before = decode([data_v9(1), TEMPLATE, data_v9(2)])
    h.equal('v9: data before their template are kept and said', [e['fields'].get('undecodedSet', e['fields'].get('src_ip')) for e in before],
            [300, '192.0.2.2'])
    path = folder / 'two.txt'
    path.write_bytes(lines_of([TEMPLATE]) + lines_of([data_v9(3)], '192.0.2.99') + lines_of([data_v9(4)]))
    two = [json.loads(l)['fields'] for l in h.run([vedette, 'decode', path]).out.splitlines()]
    h.equal('templates are those of their exporter', [f.get('src_ip') for f in two], [None, '192.0.2.4'])
    broken = decode([v5()[:60], b'\0\x09', TEMPLATE[:30], b'\0\x0a' + bytes(14)])
    h.equal('what is none is unknown', [e['type'] for e in broken if 'src_ip' in e['fields']], [])


RULE = '''title: Every flow
id: 5a0cf7f6-64d3-4c1c-9d5b-0f6d1b8f5f13
description: Test
logsource: {category: netflow}
detection:
  all: {dst_ip|cidr: [203.0.113.0/24, 198.51.100.0/24]}
  condition: all
level: low
'''


def over_udp(all_cases):
    run, port = h.temp(), h.free_port(socket.SOCK_DGRAM)
    (run / 'rules').mkdir()
    (run / 'rules' / 'all.yml').write_text(RULE)
    (run / 'vedette.yaml').write_text(
        'state: %s/state\nlateness: 1s\nrules:\n  paths: [%s/rules]\nsources:\n'
        '  - {name: flows, type: netflow, listen: "udp://127.0.0.1:%d"}\noutputs:\n'
        '  - {name: out, type: file, path: %s/alerts.ndjson}\n' % (run, run, port, run))

    def status():
        return h.status(run)

    def start():
        server = h.Server([vedette, 'run', '--config', run / 'vedette.yaml', '--checkpoint-every', '100ms'], folder=run)
        h.wait_for(lambda: status() is not None or not server.alive(), what='the service answers')
        return server

    def seen():
        path = run / 'alerts.ndjson'
        text = path.read_text() if path.exists() else ''
        return {e['id'] for line in text.splitlines() for e in json.loads(line)['evidence']}

    server = start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        s.sendto(v5(30), ('127.0.0.1', port))
        s.sendto(TEMPLATE, ('127.0.0.1', port))
        for n in range(101, 120):
            s.sendto(data_v9(n), ('127.0.0.1', port))
        h.wait_for(lambda: status()['ledger']['events'] >= 49, what='30 flows of v5 and 19 of v9')
        h.equal('30 flows of v5 and 19 of v9', status()['ledger']['events'], 49)
        h.equal('templates are joined records', status()['ledger']['joined'], 1)
        time.sleep(0.5)  # a checkpoint
        server.kill()
        server = start()
        for n in range(120, 130):
            s.sendto(data_v9(n), ('127.0.0.1', port))
        h.wait_for(lambda: len(seen()) >= 59, what='flows after kill -9 are read with the template from before it')
        h.equal('each once', len(seen()), 59)
        for case in all_cases:
            for packet in case['packets']:
                s.sendto(packet, ('127.0.0.1', port))
        ledger = h.wait_for(lambda: status() and status()['ledger']['pending'] == 0 and status()['ledger'], what='all is read')
        h.check('the ledger balances', ledger['records'] == ledger['evented'] + ledger['joined'] + ledger['blank'] + ledger['dropped'], ledger)
    h.equal('a clean stop', server.stop(), 0)


vedette = h.binary()
folder = h.temp()
with h.part('real exporters'):
    against_another(cases())
with h.part('own packets'):
    own()
with h.part('over UDP'):
    over_udp(cases())
h.finish()
