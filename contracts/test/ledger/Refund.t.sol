// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ILedger, Query, Receipt} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

contract RefundTest is Setup {
    Query internal q;

    function setUp() public {
        setUpLine(2);
        give(user, 10 ether);
        q = query(1, 1 ether);
        open(q);
    }

    function refundFails(bytes4 why) internal {
        vm.expectRevert(why);
        ledger.refund(q);
    }

    function test_refuses_beforeTheDeadline(uint64 time) public {
        vm.warp(bound(time, START, q.deadline));
        refundFails(ILedger.TooEarly.selector);
    }

    function test_refuses_unknownQuery() public {
        q.nonce++;
        vm.warp(q.deadline + 1);
        refundFails(ILedger.NotOpen.selector);
    }

    function test_refuses_changedQuery(uint128 maxCost) public {
        q.maxCost = maxCost == 1 ether ? 0 : maxCost;
        vm.warp(q.deadline + 1);
        refundFails(ILedger.NotOpen.selector);
    }

    function test_refuses_twice() public {
        vm.warp(q.deadline + 1);
        ledger.refund(q);
        refundFails(ILedger.NotOpen.selector);
    }

    function test_refuses_afterSettling() public {
        Receipt memory r = receipt(q, 1, 1);
        settle(q, r, partsFor(r));
        vm.warp(q.deadline + 1);
        refundFails(ILedger.NotOpen.selector);
        vm.assertEq(ledger.record(r.query), hashOf(r), "the record stands");
    }

    function test_refund(uint64 time, address sender) public {
        vm.warp(bound(time, q.deadline + 1, START + 365 days));
        vm.expectEmit(address(ledger));
        emit ILedger.Refunded(idOf(q), 1 ether);
        vm.prank(sender);
        ledger.refund(q);
        vm.assertEq(ledger.balanceOf(user), 10 ether, "whole again");
        vm.assertEq(ledger.record(idOf(q)), bytes32(uint256(2)), "refunded");
    }
}
