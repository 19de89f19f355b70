from ipaddress import ip_address

import pytest

from z_interact_assets.storage.objects.addresses import is_public, resolve_host


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",  # IPv4-mapped
        "64:ff9b::1.1.1.1",  # NAT64
        "2002:0101:0101::1",  # 6to4
    ],
)
def test_an_address_of_the_public_internet_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",  # carrier-grade NAT
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",  # cloud metadata
        "172.16.0.1",
        "192.0.2.1",  # documentation
        "192.168.1.1",
        "198.18.0.1",  # benchmarks
        "224.0.0.1",  # multicast
        "233.252.0.1",  # multicast, documentation
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # IPv4-compatible
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1.1.1.1",  # NAT64 of a local network
        "2001:0:1:2:3:4:f5ff:fffe",  # Teredo of 10.0.0.1
        "2001:db8::1",
        "2002:7f00:0001::1",  # 6to4 of 127.0.0.1
        "2002:0a00:0001::1",
        "fc00::1",
        "fd12:3456:789a::1",
        "fe80::1",
        "fec0::1",  # site-local
        "ff02::1",
        "5f00::1",  # SRv6
    ],
)
def test_any_other_address_is_not_public(address):
    assert not is_public(ip_address(address))


def test_a_numeric_host_resolves_to_itself_whatever_its_spelling():
    # 2130706433 is 127.0.0.1 to the C library, so it must come out as an address the policy can judge.
    assert resolve_host("2130706433") == (ip_address("127.0.0.1"),)
    assert resolve_host("::1") == (ip_address("::1"),)
