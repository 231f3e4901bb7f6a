"""The filter of system calls, run by a small interpreter of the kernel's filter programs."""

import struct

import pytest

from hm3.errors import ConfigurationError
from hm3.evaluation.sandbox.calls import filter_program

ALLOWED, DENIED, KILLED = "allowed", "denied", "killed"
VERDICTS = {0x7FFF0000: ALLOWED, 0x00050001: DENIED, 0x80000000: KILLED}
X86, ARM = ("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)


def decided(machine, architecture, number, *arguments):
    """What the kernel does about a call."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    program = list(struct.iter_unpack("=HBBI", filter_program(machine)))
    place, value = 0, 0
    while True:
        code, if_true, if_false, operand = program[place]
        place += 1
        if code == 0x06:
            return VERDICTS[operand]
        if code == 0x20:
            (value,) = struct.unpack_from("=I", data, operand)
            continue
        holds = {0x15: value == operand, 0x25: value > operand, 0x45: bool(value & operand)}[code]
        place += if_true if holds else if_false


# read, exit_group, getrandom; clone, execve, socket, kill, unlinkat, ftruncate, prlimit64
@pytest.mark.parametrize(
    ("machine", "granted", "refused"),
    [
        (X86, (0, 231, 318), (56, 57, 59, 41, 62, 263, 77, 302, 435, 425, 319)),
        (ARM, (63, 94, 278), (220, 221, 198, 129, 35, 46, 261, 435, 425, 279)),
    ],
)
def test_what_is_not_listed_is_denied(machine, granted, refused):
    assert {decided(*machine, number) for number in granted} == {ALLOWED}
    assert {decided(*machine, number) for number in refused} == {DENIED}


READ, WRITE, BOTH, MAKE, SHORTEN, CLOSE_ON_EXEC = 0, 1, 2, 0o100, 0o1000, 0o2000000


@pytest.mark.parametrize(("machine", "openat"), [(X86, 257), (ARM, 56)])
def test_files_are_opened_for_reading_only(machine, openat):
    assert {decided(*machine, openat, 0, 0, flags) for flags in (READ, CLOSE_ON_EXEC)} == {ALLOWED}
    assert {decided(*machine, openat, 0, 0, flags) for flags in (WRITE, BOTH, MAKE, SHORTEN)} == {DENIED}


def test_the_old_open_is_no_way_around():
    assert decided(*X86, 2, 0, READ) == ALLOWED
    assert decided(*X86, 2, 0, WRITE) == DENIED


@pytest.mark.parametrize(("machine", "fcntl"), [(X86, 72), (ARM, 25)])
def test_a_descriptor_sends_no_signals(machine, fcntl):
    get_flags, set_owner, set_signal = 1, 8, 10
    assert decided(*machine, fcntl, 0, get_flags) == ALLOWED
    assert {decided(*machine, fcntl, 0, command) for command in (set_owner, set_signal)} == {DENIED}


def test_calls_of_another_kind_end_the_process():
    assert decided("x86_64", 0x40000003, 1) == KILLED  # 32-bit numbers mean other calls
    assert decided(*X86, 0x40000000) == DENIED  # x32 numbers


def test_an_unknown_machine_is_refused():
    with pytest.raises(ConfigurationError, match="Linux on x86_64 or aarch64 for the sandbox, got riscv64"):
        filter_program("riscv64")
