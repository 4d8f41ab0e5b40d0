// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ILedger, Part, Query, Receipt} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

contract SettleTest is Setup {
    Query internal q;
    Receipt internal r;

    function setUp() public {
        setUpLine(3);
        give(user, 10 ether);
        q = query(1, 1 ether);
        open(q);
        r = receipt(q, 100, 200);
    }

    // ---------------------------------------------------------------- refusals: query and receipt

    function test_refuses_unknownQuery() public {
        Query memory other = query(2, 1 ether);
        Receipt memory x = receipt(other, 100, 200);
        settleFails(other, x, partsFor(x), err(ILedger.NotOpen.selector));
    }

    function test_refuses_settlingTwice() public {
        settle(q, r, partsFor(r));
        settleFails(q, r, partsFor(r), err(ILedger.NotOpen.selector));
    }

    function test_refuses_afterRefund() public {
        vm.warp(q.deadline + 1);
        ledger.refund(q);
        settleFails(q, r, partsFor(r), err(ILedger.NotOpen.selector));
        vm.assertEq(earned(), 0, "nobody is paid");
    }

    function test_refuses_receiptOfAnotherQuery() public {
        Receipt memory x = r;
        x.query = keccak256("other");
        settleFails(q, x, partsFor(r), err(ILedger.WrongReceipt.selector));
    }

    function test_refuses_receiptOfAnotherLine() public {
        Receipt memory x = r;
        x.line = keccak256("other");
        settleFails(q, x, partsFor(r), err(ILedger.WrongReceipt.selector));
    }

    function test_refuses_receiptOfAnotherInput() public {
        Receipt memory x = r;
        x.input = 0;
        settleFails(q, x, partsFor(r), err(ILedger.WrongReceipt.selector));
    }

    function test_refuses_costThatIsNotThePrice(uint128 cost) public {
        Receipt memory x = r;
        x.cost = cost == r.cost ? 0 : cost;
        settleFails(q, x, partsFor(r), err(ILedger.WrongReceipt.selector));
    }

    function test_refuses_costOfAFreeQuery() public {
        Query memory free = query(2, 0);
        free.user = hostAt(1);
        open(free);
        Receipt memory x = receipt(free, 1, 1);
        x.cost = price(1, 1);
        settleFails(free, x, partsFor(x), err(ILedger.WrongReceipt.selector));
    }

    function test_refuses_costAboveMaxCost() public {
        Receipt memory x = receipt(q, 4e9, 0);
        settleFails(q, x, partsFor(x), err(ILedger.OverCharge.selector));
    }

    // ---------------------------------------------------------------- refusals: the head

    function test_refuses_headOfAnotherSlot() public {
        Query memory x = query(2, 1 ether);
        x.head = vm.addr(pk(1));
        open(x);
        Receipt memory y = receipt(x, 1, 1);
        y.line = keccak256(abi.encode(model, x.head));
        settleFails(x, y, partsFor(y), err(ILedger.NotAdmitted.selector, x.head));
    }

    function test_refuses_signatureOfAnotherKey() public {
        (bytes32 hr, bytes32 hvs) = sign(pk(1), digest(hashOf(r)));
        vm.expectRevert(err(ILedger.WrongSigner.selector, head));
        ledger.settle(q, r, partsFor(r), hr, hvs);
    }

    function test_refuses_malformedHeadSignature() public {
        vm.expectRevert(err(ILedger.WrongSigner.selector, head));
        ledger.settle(q, r, partsFor(r), 0, MALFORMED);
    }

    function test_refuses_changedReceipt() public {
        (bytes32 hr, bytes32 hvs) = headSign(r);
        Receipt memory x = r;
        x.output = keccak256("something else");
        vm.expectRevert(err(ILedger.WrongSigner.selector, head));
        ledger.settle(q, x, partsFor(r), hr, hvs);
    }

    function test_refuses_afterTheGrace() public {
        vm.warp(START + LEASE + 7 days);
        Query memory late = query(2, 1 ether);
        open(late);
        Receipt memory x = receipt(late, 1, 1);
        vm.warp(START + LEASE + 7 days + 1);
        settleFails(late, x, partsFor(x), err(ILedger.NotAdmitted.selector, head));
    }

    // ---------------------------------------------------------------- refusals: parts

    function test_refuses_noParts() public {
        settleFails(q, r, new Part[](0), err(ILedger.NotCovered.selector, 1));
    }

    function test_refuses_slotWithoutPart() public {
        Part[] memory p = new Part[](1);
        p[0] = part(r.query, 1, pk(1), 100, 200);
        settleFails(q, r, p, err(ILedger.NotCovered.selector, 2));
    }

    function test_refuses_fewerTokensOut(uint32 tokensOut) public {
        Part[] memory p = partsFor(r);
        p[1] = part(r.query, 2, pk(2), 1000, uint32(bound(tokensOut, 0, 199)));
        settleFails(q, r, p, err(ILedger.NotCovered.selector, 2));
    }

    function test_refuses_fewerTokensIn(uint32 tokensIn) public {
        Part[] memory p = partsFor(r);
        p[1] = part(r.query, 2, pk(2), uint32(bound(tokensIn, 0, 99)), 1000);
        settleFails(q, r, p, err(ILedger.NotCovered.selector, 2));
    }

    function test_refuses_partOfAnotherQuery() public {
        Part[] memory p = partsFor(r);
        p[1] = part(keccak256("other"), 2, pk(2), 100, 200);
        settleFails(q, r, p, err(ILedger.WrongSigner.selector, vm.addr(pk(2))));
    }

    function test_refuses_malformedPart() public {
        Part[] memory p = partsFor(r);
        p[1].vs = MALFORMED;
        settleFails(q, r, p, err(ILedger.WrongSigner.selector, vm.addr(pk(2))));
    }

    function test_refuses_keyOfAnotherSlot() public {
        Part[] memory p = partsFor(r);
        p[1] = part(r.query, 2, pk(1), 100, 200);
        settleFails(q, r, p, err(ILedger.NotAdmitted.selector, vm.addr(pk(1))));
    }

    function test_refuses_stranger() public {
        Part[] memory p = partsFor(r);
        p[1] = part(r.query, 2, 0xBAD, 100, 200);
        settleFails(q, r, p, err(ILedger.NotAdmitted.selector, vm.addr(0xBAD)));
    }

    function test_refuses_halfAPartTwice() public {
        Part[] memory p = new Part[](3);
        p[0] = part(r.query, 1, pk(1), 50, 100);
        p[1] = p[0];
        p[2] = part(r.query, 2, pk(2), 100, 200);
        settleFails(q, r, p, err(ILedger.BadOrder.selector));
    }

    function test_refuses_wrongOrder() public {
        Part[] memory p = partsFor(r);
        (p[0], p[1]) = (p[1], p[0]);
        settleFails(q, r, p, err(ILedger.BadOrder.selector));
    }

    function test_refuses_partOfSlotZero() public {
        Part[] memory p = partsFor(r);
        p[0] = part(r.query, 0, pk(0), 100, 200);
        settleFails(q, r, p, err(ILedger.BadOrder.selector));
    }

    function test_refuses_slotThatIsNotThere(uint8 slot) public {
        Part[] memory p = partsFor(r);
        p[1] = part(r.query, bound(slot, 3, 255), pk(2), 100, 200);
        settleFails(q, r, p, err(ILedger.BadOrder.selector));
    }

    // ---------------------------------------------------------------- what it does

    function test_settle(uint32 tokensIn, uint32 tokensOut) public {
        Receipt memory x = receipt(q, uint32(bound(tokensIn, 0, 1e8)), uint32(bound(tokensOut, 0, 1e8)));
        Part[] memory p = partsFor(x);
        (bytes32 hr, bytes32 hvs) = headSign(x);
        vm.expectEmit(address(ledger));
        emit ILedger.Served(x.query, line, hashOf(x), x);
        vm.prank(hostAt(9));
        ledger.settle(q, x, p, hr, hvs);
        vm.assertEq(ledger.balanceOf(user), 10 ether - x.cost, "the user has the rest");
        vm.assertEq(earned(), x.cost, "no wei made or lost");
        vm.assertEq(ledger.record(x.query), hashOf(x), "recorded");
    }

    function test_paysByShares() public {
        settle(q, r, partsFor(r));
        uint256 total = share(0) + share(1) + share(2);
        vm.assertEq(owedTo(pk(0)), uint256(r.cost) * share(0) / total, "head");
        uint256 upToTwo = uint256(r.cost) * (share(0) + share(1)) / total;
        vm.assertEq(owedTo(pk(1)), upToTwo - owedTo(pk(0)), "slot 1");
        vm.assertEq(owedTo(pk(2)), r.cost - upToTwo, "slot 2 has the rest");
    }

    function test_announcesEarnings() public {
        (bytes32 hr, bytes32 hvs) = headSign(r);
        Part[] memory p = partsFor(r);
        vm.expectEmit(address(ledger));
        emit ILedger.Earned(line, head, uint256(r.cost) * share(0) / (share(0) + share(1) + share(2)));
        ledger.settle(q, r, p, hr, hvs);
    }

    function test_settlesAfterTheDeadline() public {
        vm.warp(q.deadline + 100);
        settle(q, r, partsFor(r));
        vm.assertEq(earned(), r.cost, "late but first");
    }

    function test_headCancels() public {
        settle(q, receipt(q, 0, 0), new Part[](0));
        vm.assertEq(ledger.balanceOf(user), 10 ether, "all back at once");
    }

    function test_coversMoreThanTheReceipt() public {
        Part[] memory p = partsFor(r);
        p[0] = part(r.query, 1, pk(1), 1e9, 4e9);
        settle(q, r, p);
        vm.assertEq(earned(), r.cost, "pays the receipt, not the part");
    }

    function test_freeQueryPaysNobody() public {
        Query memory free = query(2, 0);
        free.user = hostAt(1);
        open(free);
        Receipt memory x = receipt(free, 100, 200);
        settle(free, x, partsFor(x));
        vm.assertEq(earned(), 0, "free");
        vm.assertEq(ledger.record(x.query), hashOf(x), "recorded");
    }

    function test_replicaTakesOver() public {
        join(model, 1, pk(1) + REPLICA, hostAt(9));
        Part[] memory p = new Part[](3);
        (p[0], p[1]) = ordered(part(r.query, 1, pk(1), 100, 64), part(r.query, 1, pk(1) + REPLICA, 0, 136));
        p[2] = part(r.query, 2, pk(2), 100, 200);
        settle(q, r, p);
        vm.assertEq(earned(), r.cost, "no wei made or lost");
        vm.assertTrue(owedTo(pk(1)) != 0, "the dead node is paid");
        vm.assertTrue(owedTo(pk(1) + REPLICA) > owedTo(pk(1)), "and the replica, by its work");
    }

    function test_graceAfterTheLease() public {
        vm.warp(START + LEASE + 7 days);
        settle(q, r, partsFor(r));
        vm.assertEq(earned(), r.cost, "last second of the grace");
    }

    function test_lineOfOneSlot() public {
        setUpLine(1);
        give(user, 1 ether);
        Query memory x = query(1, 1 ether);
        open(x);
        Receipt memory y = receipt(x, 10, 20);
        settle(x, y, new Part[](0));
        vm.assertEq(owedTo(pk(0)), y.cost, "all is the head's");
    }

    /// Two nodes a slot, the second going on where the first stopped, or overlapping.
    function test_splitsExactly(uint32 tokensIn, uint32 tokensOut, uint32 cutIn, uint32 cutOut, uint8 n) public {
        setUpLine(bound(n, 2, 6));
        give(user, 1e20);
        Query memory x = query(1, 1e20);
        open(x);
        Receipt memory y = receipt(x, tokensIn, tokensOut | 1);
        Part[] memory p = new Part[](2 * slots - 2);
        for (uint256 s = 1; s < slots; ++s) {
            join(model, s, pk(s) + REPLICA, hostAt(50 + s));
            uint32 a = uint32(bound(cutIn, 0, y.tokensIn));
            uint32 b = uint32(bound(cutOut, 0, y.tokensOut));
            uint32 restIn = s % 2 == 0 ? y.tokensIn : y.tokensIn - a;
            Part memory second = part(y.query, s, pk(s) + REPLICA, restIn, y.tokensOut - b);
            (p[2 * s - 2], p[2 * s - 1]) = ordered(part(y.query, s, pk(s), a, b), second);
        }
        settle(x, y, p);
        vm.assertEq(earned(), y.cost, "no wei made or lost");
        vm.assertEq(ledger.balanceOf(user) + y.cost, 1e20, "the user has the rest");
    }
}
