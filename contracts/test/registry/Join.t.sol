// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Registry} from "../../src/Registry.sol";
import {IQuoteVerifier} from "../../src/interfaces/IQuoteVerifier.sol";
import {IRegistry} from "../../src/interfaces/IRegistry.sol";
import {Setup} from "../Setup.sol";

contract StrictVerifier is IQuoteVerifier {
    error Refused();

    function verify(bytes calldata, bytes32) external pure returns (bytes32) {
        revert Refused();
    }
}

contract JoinTest is Setup {
    uint256 internal constant KEY = 0x999;
    address internal key = vm.addr(KEY);
    address internal host = address(0x2222);

    function setUp() public {
        setUpLine(2);
    }

    function goodQuote() internal view returns (bytes memory) {
        return quoteFor(host, key, 0, 999);
    }

    function joinAs(address who, uint8 slot, bytes memory quote, uint256 blockNumber) internal {
        vm.prank(who);
        registry.join(model, slot, key, "https://a.example", quote, blockNumber);
    }

    function joinFails(address who, uint8 slot, bytes memory quote, uint256 blockNumber, bytes4 why) internal {
        vm.expectRevert(why);
        joinAs(who, slot, quote, blockNumber);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_unknownModel(bytes32 id) public {
        if (id == model) return;
        bytes memory quote = goodQuote();
        vm.prank(host);
        vm.expectRevert(IRegistry.UnknownModel.selector);
        registry.join(id, 0, key, "u", quote, 999);
    }

    function test_refuses_slotThatIsNotThere(uint8 slot) public {
        joinFails(host, uint8(bound(slot, 2, 255)), goodQuote(), 999, IRegistry.UnknownModel.selector);
    }

    function test_refuses_futureAndPresentBlock(uint64 number) public {
        joinFails(host, 0, goodQuote(), bound(number, 1000, type(uint64).max), IRegistry.StaleBlock.selector);
    }

    function test_refuses_oldEvidence() public {
        vm.roll(1256);
        joinFails(host, 0, quoteFor(host, key, 0, 999), 999, IRegistry.StaleBlock.selector);
    }

    function test_refuses_whatTheVerifierRefuses() public {
        bytes32 hard = registry.addModel(modelOf(2, PRICE_IN, LEASE, address(new StrictVerifier())));
        vm.prank(host);
        vm.expectRevert(StrictVerifier.Refused.selector);
        registry.join(hard, 0, key, "u", "quote", 999);
    }

    function test_refuses_stolenQuote(address thief) public {
        if (thief == host) return;
        joinFails(thief, 0, goodQuote(), 999, IRegistry.WrongReportData.selector);
    }

    function test_refuses_quoteOfAnotherSlot() public {
        joinFails(host, 1, goodQuote(), 999, IRegistry.WrongReportData.selector);
    }

    function test_refuses_quoteOfAnotherKey() public {
        joinFails(host, 0, quoteFor(host, head, 0, 999), 999, IRegistry.WrongReportData.selector);
    }

    function test_refuses_quoteOfAnotherBlock() public {
        joinFails(host, 0, goodQuote(), 998, IRegistry.WrongReportData.selector);
    }

    function test_refuses_quoteForAnotherChainOrRegistry() public {
        bytes memory quote = goodQuote();
        vm.chainId(block.chainid + 1);
        joinFails(host, 0, quote, 999, IRegistry.WrongReportData.selector);
        vm.chainId(block.chainid - 1);
        Registry other = new Registry();
        other.addModel(modelOf(2, PRICE_IN, LEASE, address(verifier)));
        vm.prank(host);
        vm.expectRevert(IRegistry.WrongReportData.selector);
        other.join(model, 0, key, "u", quote, 999);
    }

    function test_refuses_keyOfAnotherHost() public {
        joinAs(host, 0, goodQuote(), 999);
        joinFails(address(0x77), 0, quoteFor(address(0x77), key, 0, 999), 999, IRegistry.KeyTaken.selector);
    }

    function test_refuses_keyOfAnotherSlot() public {
        joinAs(host, 0, goodQuote(), 999);
        joinFails(host, 1, quoteFor(host, key, 1, 999), 999, IRegistry.KeyTaken.selector);
    }

    function test_refuses_keyOfAnotherFamily() public {
        joinAs(host, 0, goodQuote(), 999);
        bytes32 other = registry.addModel(modelOf(2, PRICE_IN, LEASE + 1, address(verifier)));
        bytes memory quote = goodQuote();
        vm.prank(host);
        vm.expectRevert(IRegistry.KeyTaken.selector);
        registry.join(other, 0, key, "u", quote, 999);
    }

    // ---------------------------------------------------------------- what it does

    function test_join() public {
        (bytes26 family,,,,,,) = registry.info(model);
        bytes memory quote = goodQuote();
        uint40 until = uint40(START + LEASE);
        vm.expectEmit(address(registry));
        emit IRegistry.NodeJoined(key, host, family, 0, model, keccak256(quote), "https://a.example", until);
        joinAs(host, 0, quote, 999);
        vm.assertTrue(registry.isLive(model, 0, key), "live");
        vm.assertEq(registry.hostOf(key), host, "host");
        vm.assertEq(registry.hostUntil(model, host), until, "free access");
        (bytes26 f, uint40 u, uint8 slot, address h, bytes32 hash, string memory url) = registry.node(key);
        vm.assertTrue(f == family && u == until && slot == 0 && h == host && hash == keccak256(quote), "node");
        vm.assertEq(keccak256(bytes(url)), keccak256("https://a.example"), "url");
    }

    function test_oldestBlock() public {
        vm.roll(1255);
        joinAs(host, 0, quoteFor(host, key, 0, 999), 999);
        vm.assertTrue(registry.isLive(model, 0, key), "256 blocks back");
    }

    function test_joinsAgainToRenew(uint32 wait) public {
        joinAs(host, 0, goodQuote(), 999);
        vm.warp(START + wait);
        joinAs(host, 0, goodQuote(), 999);
        vm.assertEq(registry.hostUntil(model, host), START + wait + LEASE, "renewed");
    }

    function test_joinsAgainAfterLeaving() public {
        joinAs(host, 0, goodQuote(), 999);
        vm.prank(host);
        registry.leave(key, address(0));
        joinAs(host, 0, goodQuote(), 999);
        vm.assertTrue(registry.isLive(model, 0, key), "back");
    }

    function test_replicasAndManySlots() public {
        join(model, 0, 0x9991, host);
        join(model, 0, 0x9992, host);
        join(model, 1, 0x9993, host);
        vm.assertTrue(registry.isLive(model, 0, vm.addr(0x9991)) && registry.isLive(model, 0, vm.addr(0x9992)), "two");
        vm.assertTrue(registry.isLive(model, 1, vm.addr(0x9993)), "and another slot");
    }

    function test_quoteChecksUseTheModelsManifest() public view {
        (,,,,, address judge, bytes32 manifest) = registry.info(model);
        vm.assertEq(judge, address(verifier), "verifier");
        vm.assertEq(manifest, keccak256("manifest"), "manifest");
    }
}
