"""The words of every finding: how grave it is, what is wrong, what to do. The code is for programs and never changes.

Places in braces are filled from the finding: `{where}` and its evidence, which nobody translates.
"""

from dataclasses import dataclass
from typing import Literal

from gateway.config.near import printable
from gateway.doctor.finding import Finding
from gateway.i18n import N_, words

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Text:
    """What is said of one code."""

    severity: Severity
    text: str
    advice: str


TEXTS = {
    # --- ports
    "port_missing": Text(
        "error",
        N_("There is no port {where}. Ports found here: {ports}"),
        N_("Plug the adapter in. If it is, type nabd scan --list and put the name shown into the configuration."),
    ),
    "port_busy": Text(
        "error",
        N_("Another program has the port {where} open: {holder}"),
        N_("Stop that program, or give each its own adapter: two readers on one line spoil each other's answers."),
    ),
    "port_forbidden": Text(
        "error",
        N_("The user {user} may not open the port {where}; the group {group} may."),
        N_("Type: sudo usermod -aG {group} {user}. Then log in again, or restart the service."),
    ),
    "port_broken": Text(
        "error",
        N_("The port {where} cannot be opened: {reason}"),
        N_("Pull the adapter out, plug it in again, and look again. If it stays so, try another adapter."),
    ),
    "host_unreachable": Text(
        "error",
        N_("The host {where} cannot be reached: {reason}"),
        N_("Check that it has power and is on this network, and that address and port are right."),
    ),
    # --- lines
    "wrong_baud": Text(
        "error",
        N_("The line {where} is set to {configured} baud, but the meter speaks at {found} baud."),
        N_("Set baud = {found} for this bus."),
    ),
    "wrong_parity": Text(
        "error",
        N_("The line {where} is set to {configured}, but the meter speaks {found}."),
        N_('Set framing = "{found}" for this bus.'),
    ),
    "wires_swapped": Text(
        "error",
        N_("On the line {where} bytes arrive as from swapped wires: {bytes}"),
        N_(
            "Swap A and B at one end. Makers name them differently, so trying is allowed. "
            "For a P1 port or an optical head: the signal must be inverted, use a cable that does so."
        ),
    ),
    "no_termination": Text(
        "warning",
        N_("On the line {where} {bad} of {asked} answers were broken or had rubbish around them."),
        N_(
            "Put 120 ohms between A and B at both ends of the line, and nowhere else. "
            "Check the screws, the common wire, and that nothing branches off."
        ),
    ),
    "two_masters": Text(
        "error",
        N_("Somebody else asks meters on the line {where}: {requests} requests were heard that are not ours."),
        N_("Take the other reader off the line: a line has one. An inverter or a charger may be the other."),
    ),
    "foreign_talk": Text(
        "warning",
        N_("Something talks on the line {where} that nobody asked: {bytes} bytes."),
        N_("Find out what else hangs on this line: a second reader, or a meter that sends by itself."),
    ),
    "wrong_address": Text(
        "error",
        N_("On the line {where} address {configured} stays silent, but a meter answers at {found}."),
        N_("Set address = {found} for this meter, or change its address at the meter."),
    ),
    # --- meters
    "meter_silent": Text(
        "error",
        N_("The meter {where} does not answer: {reason}"),
        N_("Check its power, its address, both wires, and for a head that it sits right. Then type nabd scan."),
    ),
    "meter_refuses": Text(
        "error",
        N_("The meter {where} answers, but cannot be read: {reason}"),
        N_("Check that its profile is that of its model. nabd scan names the model."),
    ),
    "key_wrong": Text(
        "error",
        N_("What the meter {where} sends cannot be opened: {reason}"),
        N_("Check that key_file, and auth_key_file if it has one, hold the key of this meter, by its serial number."),
    ),
    "meter_swapped": Text(
        "error",
        N_("The meter {where} is another one: its serial number is {found}, expected was {expected}."),
        N_(
            "If the meter was replaced, give it a new id, so that its readings are not joined to the old one's. "
            "If not, check which cable goes to which meter."
        ),
    ),
    "other_model": Text(
        "error",
        N_("The meter {where} says it is a {found}, but its profile is for {configured}."),
        N_("Change its profile. Do not trust its values before."),
    ),
    "direction_reversed": Text(
        "warning",
        N_("The meter {where} counts as if energy flowed backwards: {key} is {value}."),
        N_("If there are no panels or batteries here, turn the current transformer around, or swap its wires."),
    ),
    # --- broker
    "dns_fails": Text(
        "error",
        N_("The name {host} has no address: {reason}"),
        N_("Check the broker's name for typing errors, and that this box has a name server and Internet."),
    ),
    "broker_unreachable": Text(
        "error",
        N_("The broker {where} does not answer: {reason}"),
        N_("Check its address and port, and that no firewall stands between. Readings are kept meanwhile."),
    ),
    "broker_refuses": Text(
        "error",
        N_("The broker {where} refuses us: {reason}"),
        N_("Check user name and password. Ask who runs the broker whether this gateway is allowed."),
    ),
    "tls_unknown_ca": Text(
        "error",
        N_("The certificate of {where} comes from an authority that is not trusted here: {reason}"),
        N_("Set ca_file to the certificate of the authority that signed it. Never switch the check off."),
    ),
    "tls_expired": Text(
        "error",
        N_("The certificate of {where} has expired."),
        N_("Have it renewed at the broker. If it is new, check the date of this box: now it says {now}."),
    ),
    "tls_not_yet_valid": Text(
        "error",
        N_("The certificate of {where} is not valid yet."),
        N_("Check the date of this box: now it says {now}. Give it a time server, or set the clock."),
    ),
    "tls_wrong_name": Text(
        "error",
        N_("The certificate of {where} is made out to another name: {reason}"),
        N_("Write the broker's address as its certificate names it."),
    ),
    "tls_fails": Text(
        "error",
        N_("{where} does not speak TLS as we do: {reason}"),
        N_("Check the port: 8883 is usual with TLS, 1883 without. Some brokers want a certificate of ours."),
    ),
    # --- this box
    "no_network": Text(
        "error",
        N_("This box has no network."),
        N_("Check the cable or the wireless password. Meters are read meanwhile, and nothing is lost."),
    ),
    "clock_unsynced": Text(
        "error",
        N_("Nobody has set the clock of this box. Now it says {now}."),
        N_(
            "Allow UDP port 123 to a time server, and type timedatectl to see whether it is used. "
            'A site without one: clock.trust = "system", and a clock chip.'
        ),
    ),
    "clock_wrong": Text(
        "error",
        N_("The clock of this box is wrong: it says {now}, but {file} was written at {later}."),
        N_("Set the clock, and check its battery if it has one."),
    ),
    "disk_full": Text(
        "error",
        N_("The disk of {where} is full: {free_mb} MB are free."),
        N_("Delete what is not needed: logs, old packages, recordings. Readings wait in memory meanwhile."),
    ),
    "disk_read_only": Text(
        "error",
        N_("Nothing can be written to {where}: {reason}"),
        N_("Restart the box. If the disk is read-only again, its card is worn or damaged: replace it."),
    ),
    "card_worn": Text(
        "warning",
        N_("The card {where} has used up {percent} % of its life."),
        N_("Replace it soon. nabd backup takes what has not been sent to the new one."),
    ),
    "card_wears": Text(
        "warning",
        N_("The disk of {where} wears out early: {reason}"),
        N_("Lengthen journal.window, read less often, or use a disk for long service. See docs/reference/flash.md."),
    ),
    "undervoltage": Text(
        "error",
        N_("The supply is too weak: the voltage is below its limit now. Flags: {flags}"),
        N_("Use the maker's power supply and a short cable. Feed adapters that need much from a powered hub."),
    ),
    "undervoltage_past": Text(
        "warning",
        N_("The supply was too weak since the last start. Flags: {flags}"),
        N_("Use the maker's power supply and a short cable. Feed adapters that need much from a powered hub."),
    ),
}

WHATS = {
    "box": N_("this box: network, clock, supply"),
    "disk": N_("disk"),
    "port": N_("port"),
    "bus": N_("line and meters"),
    "serial": N_("serial number"),
    "broker": N_("broker"),
}

SKIPPED = {
    "no_configuration": N_("there is no configuration; name one with -c"),
    "beside_running": N_("the running program reads it; it was asked instead"),
    "lent": N_("the running program has lent it to another one; ask again in a minute"),
    "not_told": N_("the meter does not tell one, or none is configured to compare with"),
    "not_ours": N_("this needs the rights of the service; try sudo"),
    "no_meters": N_("no meter is configured on it"),
    "recording": N_("it is a recording"),
    "too_slow": N_("its meter sends too seldom to wait for"),
    "faults_before": N_("something before it must be mended first"),
}
"""Why something was not looked at."""

_ISOLATE = "\u2068{}\u2069"
"""What stands in Arabic words without turning them around: names, numbers, reasons."""


def said(finding: Finding, language: str) -> tuple[str, str]:
    """Give a finding's text and advice in a language."""
    text = TEXTS[finding.code]
    places = {"where": finding.where, **finding.evidence}
    shown = {key: _shown(value, language) for key, value in places.items()}
    say = words(language).gettext
    return say(text.text).format_map(shown), say(text.advice).format_map(shown)


def _shown(value: object, language: str) -> str:
    plain = printable(str(value))
    return _ISOLATE.format(plain) if language == "ar" else plain
