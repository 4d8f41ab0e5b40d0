// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {IRegistry, Model} from "../../src/interfaces/IRegistry.sol";
import {Setup} from "../Setup.sol";

contract AddModelTest is Setup {
    function setUp() public {
        setUpLine(2);
    }

    function good() internal view returns (Model memory) {
        return modelOf(3, 7, LEASE, address(verifier));
    }

    function refuses(Model memory m) internal {
        vm.expectRevert(IRegistry.BadModel.selector);
        registry.addModel(m);
    }

    function test_refuses_sameAgain() public {
        registry.addModel(good());
        Model memory m = good();
        vm.expectRevert(IRegistry.AlreadyAdded.selector);
        registry.addModel(m);
    }

    function test_refuses_numberOfSlots(uint8 n) public {
        refuses(modelOf(0, 7, LEASE, address(verifier)));
        refuses(modelOf(bound(n, 65, 100), 7, LEASE, address(verifier)));
    }

    function test_refuses_noVerifier() public {
        refuses(modelOf(2, 7, LEASE, address(0)));
    }

    function test_refuses_zeroShare(uint8 slot) public {
        Model memory m = good();
        m.slots[slot % 3].share = 0;
        refuses(m);
    }

    function test_refuses_sharesPast32Bits(uint32 a) public {
        Model memory m = good();
        m.slots[0].share = uint32(bound(a, 1, type(uint32).max));
        m.slots[2].share = type(uint32).max;
        refuses(m);
    }

    /// One quote would fit both.
    function test_refuses_equalWeights() public {
        Model memory m = good();
        m.slots[2].weights = m.slots[0].weights;
        refuses(m);
    }

    function test_refuses_timeout(uint32 timeout) public {
        Model memory m = good();
        m.timeout = 0;
        refuses(m);
        m.timeout = uint32(bound(timeout, 12 hours + 1, type(uint32).max));
        refuses(m);
    }

    function test_refuses_lease(uint32 lease) public {
        refuses(modelOf(2, 7, uint32(bound(lease, 0, 1 hours - 1)), address(verifier)));
        refuses(modelOf(2, 7, uint32(bound(lease, 90 days + 1, type(uint32).max)), address(verifier)));
    }

    function test_addModel(uint8 n, uint64 priceIn, uint32 timeout, uint32 lease, address sender) public {
        Model memory m = modelOf(bound(n, 1, 64), priceIn, uint32(bound(lease, 1 hours, 90 days)), address(0x1234));
        m.timeout = uint32(bound(timeout, 1, 12 hours));
        bytes32 id = keccak256(abi.encode(m));
        vm.expectEmit(address(registry));
        emit IRegistry.ModelAdded(id, familyOf(m), m);
        vm.prank(sender);
        vm.assertEq(registry.addModel(m), id, "id");
        vm.assertEq(registry.timeoutOf(id), m.timeout, "timeout");
        (uint64 gotIn, uint64 gotOut, uint32[] memory upTo) = registry.terms(id);
        vm.assertTrue(gotIn == priceIn && gotOut == PRICE_OUT, "prices");
        vm.assertEq(upTo.length, m.slots.length, "slots");
        uint256 sum;
        for (uint256 i; i < upTo.length; ++i) {
            sum += m.slots[i].share;
            vm.assertEq(upTo[i], sum, "prefix sums");
        }
        checkInfo(id, m);
    }

    function checkInfo(bytes32 id, Model memory m) internal view {
        (bytes26 family, uint32 lease,,,, address judge, bytes32 manifest) = registry.info(id);
        vm.assertEq(family, familyOf(m), "family");
        vm.assertTrue(lease == m.lease && judge == m.verifier && manifest == m.manifest, "info");
    }

    function familyOf(Model memory m) internal pure returns (bytes26) {
        bytes32[] memory w = new bytes32[](m.slots.length);
        for (uint256 i; i < w.length; ++i) {
            w[i] = m.slots[i].weights;
        }
        return bytes26(keccak256(abi.encode(m.verifier, m.manifest, m.lease, w)));
    }

    function test_largestShares() public {
        Model memory m = good();
        (m.slots[0].share, m.slots[1].share, m.slots[2].share) = (type(uint32).max - 2, 1, 1);
        (,, uint32[] memory upTo) = registry.terms(registry.addModel(m));
        vm.assertEq(upTo[2], type(uint32).max, "fits");
    }

    function test_unknownModel(bytes32 id) public view {
        if (id == model) return;
        vm.assertEq(registry.timeoutOf(id), 0, "timeout");
        (,, uint32[] memory upTo) = registry.terms(id);
        vm.assertEq(upTo.length, 0, "slots");
    }

    function test_freeModelHasNoEndOfTokens() public {
        Model memory m = good();
        (m.priceIn, m.priceOut) = (0, 0);
        vm.assertEq(ledger.tokens(user, registry.addModel(m)), type(uint256).max, "free");
    }
}
