#!/usr/bin/python3
"""Lines of a hundred programs against fields that somebody else's parsers expect: the share that we give with the same value, per log type.

Names that have a common name of ours are compared as that field (a list of candidates: one of them holds the value); what
has none (message parts, formats of dates, the other product's own verdicts) is not counted.
"""
import gzip
import json
import os
import re

import harness as h

# Their name -> ours. `url` may be compared with or without its query.
NAMES = {
    'source_ip': ['src_ip'], 'remote_addr': ['src_ip'], 'clientip': ['src_ip'], 'client_ip': ['src_ip'], 'src_ip': ['src_ip'],
    'sshd_client_ip': ['src_ip'], 'ip_source': ['src_ip'], 'remote_ip': ['src_ip'], 'client': ['src_ip'], 'sourcehost': ['src_ip'],
    'source_port': ['src_port'], 'remote_port': ['src_port'], 'client_port': ['src_port'], 'src_port': ['src_port'], 'sport': ['src_port'],
    'clientport': ['src_port'],
    'dest_ip': ['dst_ip'], 'dst_ip': ['dst_ip'], 'target_ip': ['dst_ip'], 'server_ip': ['dst_ip'], 'destination_ip': ['dst_ip'],
    'dest_port': ['dst_port'], 'dst_port': ['dst_port'], 'target_port': ['dst_port'], 'server_port': ['dst_port'],
    'destination_port': ['dst_port'],
    'user': ['user', 'target_user'], 'username': ['user', 'target_user', 'mail_to'], 'target_user': ['user', 'target_user', 'mail_to'],
    'source_user': ['user', 'mail_from'], 'sshd_invalid_user': ['user', 'target_user'], 'dovecot_user': ['user'],
    'pgsql_target_user': ['user'], 'pgsql_user': ['user', 'session_user'],
    'http_path': ['url', 'file'], 'http_status': ['http_status'], 'http_verb': ['http_method'], 'http_method': ['http_method'],
    'http_user_agent': ['user_agent'], 'verb': ['http_method'], 'status': ['http_status'], 'response': ['http_status'],
    'http_status_code': ['http_status'], 'request': ['url', 'file'], 'http_request': ['url', 'file'], 'targeturi': ['url'],
    'target_uri': ['url'], 'target_fqdn': ['domain'], 'targethost': ['domain'], 'machine': ['host'], 'program': ['program'],
    'body_bytes_sent': ['bytes_out'], 'bytes': ['bytes_out'], 'exe': ['process_path'], 'proto': ['protocol'],
    'iface': ['interface', 'in_interface'], 'timestamp': ['@time'],
}
HOLLOW = ('', '-', None)


def canonical(value):
    """Addresses and numbers in one spelling."""
    text = str(value)
    return re.sub(r'^::ffff:(?=\d+\.)', '', text.lower()) if re.fullmatch(r'[0-9a-fA-F:.]+', text) else text


def agrees(names, value, event):
    if names == ['@time']:
        return same_time(value, event)
    for name in names:
        ours = event['fields'].get(name)
        for one in ours if isinstance(ours, list) else [ours]:
            if one is None:
                continue
            if canonical(one) == canonical(value):
                return True
            if name == 'url' and str(one).split('?')[0].split('#')[0] == str(value).split('?')[0]:
                return True
            if name == 'host' and str(one).split('.')[0] == str(value).split('.')[0]:
                return True
            if name == 'user' and str(one).split('@')[0] == str(value):
                return True
            if name == 'protocol' and str(one).lower().split('/')[0] == str(value).lower():
                return True
    return False


def same_time(value, event):
    import datetime
    try:
        wanted = datetime.datetime.fromisoformat(value.replace('Z', '+00:00'))
    except ValueError:
        return True  # a stamp as written, not as understood
    ours = datetime.datetime.fromisoformat(re.sub(r'(\.\d{6})\d+', r'\1', event['time']).replace('Z', '+00:00'))
    if wanted.tzinfo is None:
        wanted = wanted.replace(tzinfo=datetime.timezone.utc)
    if abs((wanted - ours).total_seconds()) < 1:
        return True
    # Stamps without a year mean the year in which the expectation was written.
    return (wanted.month, wanted.day, wanted.minute, wanted.second) == (ours.month, ours.day, ours.minute, ours.second)


def is_text(raw):
    """Not JSON, XML or key=value, nor one of them behind a container's header."""
    body = re.sub(r'^\S+ std(out|err) [FP] ', '', raw).lstrip()
    return not body.startswith(('{', '<Event', 'time=', 'type='))


def expectations(case):
    """(line text or None, {name: value}) of every event somebody expects."""
    for event in case['expected_events']:
        if event.get('success'):
            fields = dict(event.get('parsed') or {})
            fields.update(event.get('meta') or {})
            # The line their parser saw, after unwrapping; a part of ours.
            yield (event.get('parsed') or {}).get('message'), fields


def decode(path):
    done = h.run([h.binary(), 'decode', path, '--year', '2026', '--timezone', 'UTC'])
    return [json.loads(line) for line in done.out.decode('utf-8', 'surrogateescape').splitlines()]


def pick(events, message, used, at):
    """The event of ours that an expectation speaks of: its text holds the message; else the next one."""
    if message:
        text = message.strip()
        for i, event in enumerate(events):
            if i not in used and (text in event['raw'] or event['raw'].strip() in text):
                return i
        for i, event in enumerate(events):
            if text in event['raw']:
                return i
    return at if at < len(events) else None


def main():
    folder = h.data('data/crowdsec-hub')
    if folder is None:
        h.skip('the folder crowdsec-hub is not there (set VEDETTE_DATA)')
    reached, wanted, missed = {}, {}, {}
    text = [0, 0]  # free text and access logs: reached, wanted
    with gzip.open(folder / 'cases.jsonl.gz', 'rt') as cases:
        for line in cases:
            case = json.loads(line)
            wants = list(expectations(case))
            if not wants:
                continue
            events = decode(folder / case['log'])
            used = set()
            for at, (message, fields) in enumerate(wants):
                i = pick(events, message, used, at)
                used.add(i)
                event = events[i] if i is not None else {'fields': {}, 'time': '1970-01-01T00:00:00Z', 'type': '', 'raw': ''}
                for name, value in fields.items():
                    if name not in NAMES or value in HOLLOW:
                        continue
                    if name == 'program' and case['log_type'] != 'syslog':
                        continue  # what their configuration calls the file, nothing the line says
                    kind = case['log_type']
                    wanted[kind] = wanted.get(kind, 0) + 1
                    good = agrees(NAMES[name], value, event)
                    if is_text(event['raw']):
                        text[0] += good
                        text[1] += 1
                    if good:
                        reached[kind] = reached.get(kind, 0) + 1
                    else:
                        missed.setdefault((kind, case['case']), []).append((name, value, event))
    total = sum(wanted.values())
    share = sum(reached.values()) / max(total, 1)
    for kind in sorted(wanted, key=lambda k: reached.get(k, 0) / wanted[k]):
        print('  %5.1f %%  %5d of %5d  %s' % (100 * reached.get(kind, 0) / wanted[kind], reached.get(kind, 0), wanted[kind], kind))
    print('  %5.1f %%  %5d of %5d  in all' % (100 * share, sum(reached.values()), total))
    if os.environ.get('VEDETTE_SHOW'):
        for (kind, name), list_ in sorted(missed.items()):
            print('##', kind, name, len(list_))
            for field, value, event in list_[:int(os.environ['VEDETTE_SHOW'])]:
                print('   ', field, '=', value, '|', event['type'], '|', event['raw'][:200], '|', {k: v for k, v in event['fields'].items() if k != 'message'})
    print('  %5.1f %%  %5d of %5d  in free text' % (100 * text[0] / max(text[1], 1), *text))
    h.check('at least 98 % of the expected fields of free text', text[0] >= 0.98 * text[1], '%d of %d' % tuple(text))
    h.check('at least 98 % of the expected fields in all', share >= 0.98, '%.2f %%' % (100 * share))
    h.finish()


if __name__ == '__main__':
    main()
