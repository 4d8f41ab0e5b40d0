// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {IRegistry} from "../../src/interfaces/IRegistry.sol";
import {FakeVerifier, Setup} from "../Setup.sol";

/// setUrl, leave, and who is admitted where and for how long.
contract NodesTest is Setup {
    uint256 internal constant END = START + LEASE;

    function setUp() public {
        setUpLine(2);
    }

    function leave(address host, address key, address other) internal {
        vm.prank(host);
        registry.leave(key, other);
    }

    function status(bytes32 m, uint8 slot, address key) internal view returns (bool live, bool admitted) {
        return (registry.isLive(m, slot, key), registry.isAdmitted(m, slot, key));
    }

    function isNeither(bytes32 m, uint8 slot, address key, string memory why) internal view {
        (bool live, bool admitted) = status(m, slot, key);
        vm.assertTrue(!live && !admitted, why);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_strangers(address who) public {
        if (who == hostAt(0)) return;
        vm.prank(who);
        vm.expectRevert(IRegistry.NotHost.selector);
        registry.leave(head, address(0));
        vm.prank(who);
        vm.expectRevert(IRegistry.NotHost.selector);
        registry.setUrl(head, "https://evil.example");
    }

    function test_refuses_unknownKey(address key) public {
        if (registry.hostOf(key) == address(this)) return;
        vm.expectRevert(IRegistry.NotHost.selector);
        registry.leave(key, address(0));
    }

    // ---------------------------------------------------------------- admission

    function test_lease_thenGrace_thenNothing(uint32 t) public {
        vm.warp(START + bound(t, 0, LEASE));
        vm.assertTrue(registry.isLive(model, 0, head) && registry.isAdmitted(model, 0, head), "live");
        vm.warp(END + bound(t, 1, 7 days));
        vm.assertTrue(!registry.isLive(model, 0, head) && registry.isAdmitted(model, 0, head), "grace");
        vm.warp(END + 7 days + bound(t, 1, type(uint32).max));
        isNeither(model, 0, head, "over");
    }

    function test_notAdmittedElsewhere(bytes32 id, uint8 slot) public view {
        isNeither(model, uint8(bound(slot, 1, 255)), head, "other slot");
        if (id != model) isNeither(id, 0, head, "unknown model");
        isNeither(id == model ? bytes32(0) : id, 0, address(0), "unknown model, no key");
    }

    /// Anyone may register the same weights with a verifier that accepts everything.
    function test_carelessVerifierStaysApart() public {
        bytes32 careless = registry.addModel(modelOf(2, PRICE_IN, LEASE, address(new FakeVerifier())));
        join(careless, 0, 0xE71, hostAt(9));
        isNeither(model, 0, vm.addr(0xE71), "another verifier");
        vm.assertEq(registry.hostUntil(model, hostAt(9)), 0, "no free access");
    }

    function test_longerLeaseStaysApart() public {
        bytes32 long = registry.addModel(modelOf(2, PRICE_IN, 90 days, address(verifier)));
        join(long, 0, 0xE72, hostAt(9));
        isNeither(model, 0, vm.addr(0xE72), "another lease");
    }

    function test_newPriceKeepsItsNodes(uint64 priceIn) public {
        if (priceIn == PRICE_IN) return;
        bytes32 other = registry.addModel(modelOf(2, priceIn, LEASE, address(verifier)));
        vm.assertTrue(registry.isLive(other, 0, head), "same family");
        vm.assertEq(registry.hostUntil(other, hostAt(0)), END, "and free access");
    }

    // ---------------------------------------------------------------- leave, setUrl

    function test_leave() public {
        vm.expectEmit(address(registry));
        emit IRegistry.NodeLeft(head);
        leave(hostAt(0), head, address(0));
        (bool live, bool admitted) = status(model, 0, head);
        vm.assertTrue(!live && admitted, "settling only");
        vm.assertTrue(registry.hostUntil(model, hostAt(0)) < START, "no free access");
        vm.warp(START + 7 days);
        isNeither(model, 0, head, "grace runs from leaving");
    }

    function test_leavingLateDoesNotLengthenTheGrace() public {
        vm.warp(END + 3 days);
        leave(hostAt(0), head, address(0));
        vm.warp(END + 7 days + 1);
        isNeither(model, 0, head, "from the end of the lease");
    }

    function test_otherNodeCarriesTheAccess() public {
        vm.warp(START + 1 days);
        join(model, 1, 0x998, hostAt(0));
        leave(hostAt(0), head, vm.addr(0x998));
        vm.assertEq(registry.hostUntil(model, hostAt(0)), START + 1 days + LEASE, "carried on");
    }

    function test_accessIsNotCarriedByAnothersNode() public {
        leave(hostAt(0), head, vm.addr(pk(1)));
        vm.assertTrue(registry.hostUntil(model, hostAt(0)) < START, "another host's");
    }

    function test_accessIsNotCarriedByAnotherFamily() public {
        bytes32 other = registry.addModel(modelOf(2, PRICE_IN, 90 days, address(verifier)));
        join(other, 0, 0x997, hostAt(0));
        leave(hostAt(0), head, vm.addr(0x997));
        vm.assertTrue(registry.hostUntil(model, hostAt(0)) < START, "another family's");
    }

    function test_accessIsNotCarriedByItself() public {
        leave(hostAt(0), head, head);
        vm.assertTrue(registry.hostUntil(model, hostAt(0)) < START, "it has just left");
    }

    function test_setUrl(string memory url) public {
        vm.expectEmit(address(registry));
        emit IRegistry.UrlSet(head, url);
        vm.prank(hostAt(0));
        registry.setUrl(head, url);
        (,,,,, string memory got) = registry.node(head);
        vm.assertEq(keccak256(bytes(got)), keccak256(bytes(url)), "url");
    }
}
