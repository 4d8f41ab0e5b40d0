// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ILedger, Query} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

contract OpenTest is Setup {
    function setUp() public {
        setUpLine(3);
        give(user, 10 ether);
    }

    function openFails(Query memory q, bytes memory why) internal {
        vm.prank(user);
        vm.expectRevert(why);
        ledger.open(q);
    }

    // ---------------------------------------------------------------- refusals

    function test_refuses_anotherSender() public {
        Query memory q = query(1, 1 ether);
        vm.expectRevert(ILedger.NotUser.selector);
        ledger.open(q);
    }

    function test_refuses_noHead() public {
        Query memory q = query(1, 1 ether);
        q.head = address(0);
        openFails(q, err(ILedger.BadQuery.selector));
    }

    function test_refuses_unknownModel() public {
        Query memory q = query(1, 1 ether);
        q.model = keccak256("unknown");
        openFails(q, err(ILedger.BadQuery.selector));
    }

    function test_refuses_deadlineBeforeTimeout(uint64 early) public {
        Query memory q = query(1, 1 ether);
        q.deadline = uint64(bound(early, 0, START + 599));
        openFails(q, err(ILedger.BadQuery.selector));
    }

    function test_refuses_deadlineBeyondADay(uint64 late) public {
        Query memory q = query(1, 1 ether);
        q.deadline = uint64(bound(late, START + 1 days + 1, type(uint64).max));
        openFails(q, err(ILedger.BadQuery.selector));
    }

    function test_refuses_moreThanTheBalance(uint128 maxCost) public {
        openFails(query(1, uint128(bound(maxCost, 10 ether + 1, type(uint128).max))), PANIC_ARITHMETIC);
    }

    function test_refuses_freeQueryOfAStranger() public {
        openFails(query(1, 0), err(ILedger.NotUser.selector));
    }

    function test_refuses_freeQueryAfterTheLease() public {
        vm.warp(START + LEASE + 1);
        Query memory q = query(1, 0);
        q.user = hostAt(1);
        vm.prank(q.user);
        vm.expectRevert(ILedger.NotUser.selector);
        ledger.open(q);
    }

    function test_refuses_freeQueryAfterLeaving() public {
        vm.prank(hostAt(1));
        registry.leave(vm.addr(pk(1)), address(0));
        Query memory q = query(1, 0);
        q.user = hostAt(1);
        vm.prank(q.user);
        vm.expectRevert(ILedger.NotUser.selector);
        ledger.open(q);
    }

    function test_refuses_openingTwice() public {
        Query memory q = query(1, 1 ether);
        open(q);
        openFails(q, err(ILedger.NotOpen.selector));
    }

    function test_refuses_signatureOfAnother() public {
        Query memory q = query(1, 1 ether);
        (bytes32 r, bytes32 vs) = sign(SESSION, idOf(q));
        vm.expectRevert(err(ILedger.WrongSigner.selector, user));
        ledger.openSigned(q, r, vs);
    }

    function test_refuses_changedQuery(uint128 maxCost) public {
        Query memory q = query(1, 1 ether);
        (bytes32 r, bytes32 vs) = sign(USER, idOf(q));
        q.maxCost = maxCost == 1 ether ? 2 ether : maxCost;
        vm.expectRevert(err(ILedger.WrongSigner.selector, user));
        ledger.openSigned(q, r, vs);
    }

    /// A malformed signature recovers to 0, which is nobody.
    function test_refuses_queryOfUserZero() public {
        give(address(0), 1 ether);
        Query memory q = query(1, 1 ether);
        q.user = address(0);
        vm.expectRevert(err(ILedger.WrongSigner.selector, address(0)));
        ledger.openSigned(q, 0, MALFORMED);
    }

    function test_refuses_signedReplay() public {
        Query memory q = query(1, 1 ether);
        (bytes32 r, bytes32 vs) = sign(USER, idOf(q));
        ledger.openSigned(q, r, vs);
        vm.expectRevert(ILedger.NotOpen.selector);
        ledger.openSigned(q, r, vs);
        vm.warp(q.deadline + 1);
        ledger.refund(q);
        vm.warp(START);
        vm.expectRevert(ILedger.NotOpen.selector);
        ledger.openSigned(q, r, vs);
    }

    function test_refuses_signatureOnAnotherChain() public {
        Query memory q = query(1, 1 ether);
        (bytes32 r, bytes32 vs) = sign(USER, idOf(q));
        vm.chainId(block.chainid + 1);
        vm.expectRevert(err(ILedger.WrongSigner.selector, user));
        ledger.openSigned(q, r, vs);
    }

    // ---------------------------------------------------------------- what it does

    function test_open(uint128 maxCost, uint64 nonce, uint64 deadline) public {
        Query memory q = query(nonce, uint128(bound(maxCost, 1, 10 ether)));
        q.deadline = uint64(bound(deadline, START + 600, START + 1 days));
        vm.expectEmit(address(ledger));
        emit ILedger.Opened(idOf(q), user, model, q);
        vm.prank(user);
        bytes32 id = ledger.open(q);
        vm.assertEq(id, idOf(q), "id");
        vm.assertEq(ledger.queryId(q), id, "queryId");
        vm.assertEq(ledger.record(id), bytes32(uint256(1)), "open");
        vm.assertEq(ledger.balanceOf(user), 10 ether - q.maxCost, "set aside");
    }

    function test_openSigned(uint128 maxCost) public {
        Query memory q = query(1, uint128(bound(maxCost, 1, 10 ether)));
        (bytes32 r, bytes32 vs) = sign(USER, idOf(q));
        vm.expectEmit(address(ledger));
        emit ILedger.Opened(idOf(q), user, model, q);
        vm.prank(hostAt(9));
        ledger.openSigned(q, r, vs);
        vm.assertEq(ledger.balanceOf(user), 10 ether - q.maxCost, "the user pays");
    }

    function test_hostAsksForFree() public {
        Query memory q = query(1, 0);
        q.user = hostAt(1);
        open(q);
        vm.assertEq(ledger.record(idOf(q)), bytes32(uint256(1)), "open");
    }
}
