// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Batch, Charge, ILedger, Query, Receipt, Skip, Work} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

abstract contract BatchSetup is Setup {
    uint256 internal constant EVE = 0xE5E;
    address internal eve = vm.addr(EVE);

    function setUpTabs() internal {
        setUpLine(3);
        give(user, 10 ether);
        give(eve, 10 ether);
        fund(user, 2 ether, vm.addr(SESSION));
        fund(eve, 2 ether, eve);
    }

    function chargeUser(uint128 used) internal view returns (Charge[] memory) {
        return one(charge(SESSION, user, 0, used, used));
    }

    function chargeEve(uint128 used) internal view returns (Charge[] memory) {
        return one(charge(EVE, eve, 0, used, used));
    }

    function sendSigned(Batch memory b, bytes32 r, bytes32 vs, bytes memory why) internal {
        vm.expectRevert(why);
        ledger.settleBatch(model, head, b, r, vs);
    }
}

/// The head's own faults: these alone make a batch revert.
contract SettleBatchTest is BatchSetup {
    function setUp() public {
        setUpTabs();
    }

    function someBatch() internal view returns (Batch memory) {
        return batch(1, chargeUser(1e15), works(1e15));
    }

    function test_refuses_signatureOfAStage() public {
        Batch memory b = someBatch();
        (bytes32 r, bytes32 vs) = signBatch(pk(1), b);
        sendSigned(b, r, vs, err(ILedger.WrongSigner.selector, head));
    }

    function test_refuses_malformedSignature() public {
        sendSigned(someBatch(), 0, MALFORMED, err(ILedger.WrongSigner.selector, head));
    }

    function test_refuses_anyChangeAfterSigning() public {
        (bytes32 r, bytes32 vs) = signBatch(pk(0), someBatch());
        bytes memory why = err(ILedger.WrongSigner.selector, head);
        Batch memory b = someBatch();
        b.seq++;
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.count++;
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.root = 0;
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.charges[0].used--;
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.charges[0] = charge(SESSION, user, 0, 1e15, 2e15); // another good voucher of the same user
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.work[0].total--;
        sendSigned(b, r, vs, why);
        b = someBatch();
        b.work = new Work[](0);
        sendSigned(b, r, vs, why);
        ledger.settleBatch(model, head, someBatch(), r, vs);
        vm.assertEq(spentOf(user), 1e15, "unchanged it passes");
    }

    function test_refuses_stageThatPlaysHead() public {
        address fake = vm.addr(pk(1));
        Batch memory b = someBatch();
        (bytes32 r, bytes32 vs) = signBatch(pk(1), b);
        vm.expectRevert(err(ILedger.NotAdmitted.selector, fake));
        ledger.settleBatch(model, fake, b, r, vs);
    }

    function test_refuses_unknownModel() public {
        Batch memory b = someBatch();
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectRevert(err(ILedger.NotAdmitted.selector, head));
        ledger.settleBatch(keccak256("unknown"), head, b, r, vs);
    }

    function test_refuses_headAfterTheGrace() public {
        vm.warp(START + LEASE + 7 days + 1);
        sendFails(someBatch(), err(ILedger.NotAdmitted.selector, head));
    }

    function test_refuses_oldSequence(uint64 seq) public {
        send(batch(5, chargeUser(1e15), works(1e15))); // a gap is allowed
        seq = uint64(bound(seq, 0, 5));
        sendFails(batch(seq, chargeUser(2e15), works(2e15)), err(ILedger.WrongSequence.selector));
    }

    function test_refuses_sameWorkTwice() public {
        Work[] memory w = new Work[](3);
        (w[0], w[1], w[2]) = (work(1, pk(1), 1e15), work(1, pk(1), 1e15), work(2, pk(2), 1e15));
        sendFails(batch(1, chargeUser(1e15), w), err(ILedger.BadOrder.selector));
    }

    function test_refuses_workOutOfOrder() public {
        Work[] memory w = works(1e15);
        (w[0], w[1]) = (w[1], w[0]);
        sendFails(batch(1, chargeUser(1e15), w), err(ILedger.BadOrder.selector));
    }

    function test_refuses_workOfSlotZero() public {
        Work[] memory w = works(1e15);
        w[0] = work(0, pk(0), 1e15);
        sendFails(batch(1, chargeUser(1e15), w), err(ILedger.BadOrder.selector));
    }

    function test_refuses_slotThatIsNotThere(uint8 slot) public {
        Work[] memory w = oneWork(work(bound(slot, 3, 255), pk(1), 1e15));
        sendFails(batch(1, chargeUser(1e15), w), err(ILedger.BadOrder.selector));
    }

    /// 80 bits, 1.2 million ether: nothing is lost beyond it, somebody collects and the batch passes.
    function test_refuses_owedBeyond80Bits() public {
        uint128 most = type(uint80).max;
        give(user, uint256(most) * 12);
        fund(user, most * 11, vm.addr(SESSION));
        send(batch(1, chargeUser(most), works(most * 9)));
        send(batch(2, chargeUser(most * 2), works(most * 9)));
        Batch memory b = batch(3, chargeUser(most * 4), works(most * 9));
        sendFails(b, err(ILedger.OverCharge.selector));
        for (uint256 s; s < 3; ++s) {
            ledger.collect(line, vm.addr(pk(s)));
        }
        send(b);
        vm.assertEq(spentOf(user), most * 4, "after collecting");
    }

    function test_settleBatch(uint64 seq, uint128 used, address sender) public {
        seq = uint64(bound(seq, 1, type(uint64).max));
        used = uint128(bound(used, 1, 2 ether));
        Batch memory b = batch(seq, chargeUser(used), works(used));
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectEmit(address(ledger));
        emit ILedger.Charged(user, line, 0, used);
        vm.prank(sender);
        ledger.settleBatch(model, head, b, r, vs);
        vm.assertEq(spentOf(user), used, "charged");
        vm.assertEq(earned(), used, "no wei made or lost");
        vm.assertEq(ledger.lastSeq(line), seq, "sequence");
        vm.assertEq(ledger.batchRoot(line, seq), b.root, "root");
    }

    function test_announcesTheBatch() public {
        Batch memory b = someBatch();
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectEmit(address(ledger));
        emit ILedger.Batched(line, 1, b.root, 1, 1e15);
        ledger.settleBatch(model, head, b, r, vs);
    }

    function test_emptyBatchRecordsItsRoot() public {
        send(batch(1, new Charge[](0), new Work[](0)));
        vm.assertEq(ledger.batchRoot(line, 1), keccak256(abi.encode(uint64(1))), "root");
    }

    function test_lostBatchIsRepeatedByTheNext() public {
        send(batch(9, chargeUser(3e15), works(3e15)));
        vm.assertEq(spentOf(user), 3e15, "cumulative");
        vm.assertEq(earned(), 3e15, "once");
    }

    function test_lineOfOneSlotNeedsNoWork() public {
        setUpLine(1);
        give(user, 1 ether);
        fund(user, 1 ether, vm.addr(SESSION));
        send(batch(1, chargeUser(1 ether), new Work[](0)));
        vm.assertEq(owedTo(pk(0)), 1 ether, "the voucher alone is the limit");
    }

    function test_graceAfterTheLease() public {
        vm.warp(START + LEASE + 7 days);
        send(someBatch());
        vm.assertEq(spentOf(user), 1e15, "last second");
    }
}

/// Whatever is wrong with a charge, the batch goes on without it.
contract BatchChargesTest is BatchSetup {
    function setUp() public {
        setUpTabs();
    }

    function skips(Charge memory bad, Skip why) internal {
        Batch memory b = batch(1, pair(bad, chargeEve(1e15)[0]), works(1 ether));
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectEmit(address(ledger));
        emit ILedger.ChargeSkipped(bad.user, line, why);
        ledger.settleBatch(model, head, b, r, vs);
        vm.assertEq(spentOf(user), 0, "the bad one is not taken");
        vm.assertEq(spentOf(eve), 1e15, "the good one is");
        vm.assertEq(earned(), 1e15, "earned");
    }

    function test_skips_anotherSigner() public {
        skips(charge(USER, user, 0, 1e15, 1e15), Skip.Signature);
    }

    function test_skips_malformedSignature() public {
        Charge memory c = charge(SESSION, user, 0, 1e15, 1e15);
        c.vs = MALFORMED;
        skips(c, Skip.Signature);
    }

    function test_skips_anyBrokenSignature(bytes32 r, bytes32 vs) public {
        Charge memory c = charge(SESSION, user, 0, 1e15, 1e15);
        (c.r, c.vs) = (r, vs);
        skips(c, Skip.Signature);
    }

    /// A tab that is not there has signer 0, as a malformed signature has; it has no money either.
    function test_skips_noTab() public {
        Charge memory c = charge(0xBEEF, vm.addr(0xBEEF), 0, 1e15, 1e15);
        c.vs = MALFORMED;
        skips(c, Skip.OverFunded);
    }

    function test_skips_aboveTheVoucher(uint128 used) public {
        used = uint128(bound(used, 1e15 + 1, 1 ether));
        skips(charge(SESSION, user, 0, used, 1e15), Skip.OverTotal);
    }

    function test_skips_aboveTheTab(uint128 used) public {
        used = uint128(bound(used, 2 ether + 1, type(uint128).max));
        skips(charge(SESSION, user, 0, used, used), Skip.OverFunded);
    }

    function test_skips_anotherEpoch(uint32 epoch) public {
        skips(charge(SESSION, user, uint32(bound(epoch, 1, type(uint32).max)), 1e15, 1e15), Skip.Epoch);
    }

    function test_skips_beyondTheWork() public {
        skips(charge(SESSION, user, 0, 1 ether + 1, 2 ether), Skip.NoWork);
    }

    function test_skips_voucherOfAnotherLine() public {
        bytes32 here = line;
        line = keccak256("other");
        Charge memory c = charge(SESSION, user, 0, 1e15, 1e15);
        line = here;
        skips(c, Skip.Signature);
    }

    function test_skips_stale() public {
        send(batch(1, chargeUser(2e15), works(5e15)));
        Batch memory b = batch(2, chargeUser(1e15), works(5e15));
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectEmit(address(ledger));
        emit ILedger.ChargeSkipped(user, line, Skip.Stale);
        ledger.settleBatch(model, head, b, r, vs);
        vm.assertEq(spentOf(user), 2e15, "never falls");
        vm.assertEq(earned(), 2e15, "earned once");
    }

    function test_sameUserTwice() public {
        Charge[] memory c = new Charge[](3);
        c[0] = charge(SESSION, user, 0, 1e15, 1e15);
        c[1] = charge(SESSION, user, 0, 3e15, 3e15);
        c[2] = charge(SESSION, user, 0, 2e15, 2e15);
        send(batch(1, c, works(3e15)));
        vm.assertEq(spentOf(user), 3e15, "cumulative");
        vm.assertEq(earned(), 3e15, "earned");
    }

    function test_takesLessThanTheVoucher(uint128 used, uint128 total) public {
        total = uint128(bound(total, 1, type(uint128).max));
        used = uint128(bound(used, 1, total > 2 ether ? 2 ether : total));
        send(batch(1, one(charge(SESSION, user, 0, used, total)), works(2 ether)));
        vm.assertEq(spentOf(user), used, "what the head counted");
    }

    function test_limitGoesInOrder() public {
        Charge[] memory c = pair(chargeEve(2e15)[0], chargeUser(2e15)[0]);
        send(batch(1, c, works(3e15)));
        vm.assertEq(spentOf(eve), 2e15, "first");
        vm.assertEq(spentOf(user), 0, "beyond the work, not even in part");
        send(batch(2, c, works(4e15)));
        vm.assertEq(spentOf(user), 2e15, "later");
        vm.assertEq(spentOf(eve), 2e15, "a repeat");
        vm.assertEq(earned(), 4e15, "sum");
    }

    /// A broken head puts one user's tokens on another's tab: never twice for one work.
    function test_sameWorkIsNotChargedTwice() public {
        send(batch(1, chargeEve(1e15), works(1e15)));
        send(batch(2, chargeUser(1e15), works(1e15)));
        vm.assertEq(spentOf(user), 0, "used up");
    }
}

/// What stages prove limits what may be charged, and nothing wrong with an entry stops a batch.
contract BatchWorkTest is BatchSetup {
    function setUp() public {
        setUpTabs();
    }

    function skips(Work memory bad, uint256 place, Skip why) internal {
        Work[] memory w = works(1e15);
        w[place] = bad;
        Batch memory b = batch(1, chargeUser(1e15), w);
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectEmit(address(ledger));
        emit ILedger.WorkSkipped(line, bad.key, why);
        ledger.settleBatch(model, head, b, r, vs);
        vm.assertEq(spentOf(user), 0, "not proved");
        vm.assertEq(earned(), 0, "nobody is paid");
        (uint256 worked,) = workOf(pk(place + 1));
        vm.assertEq(worked, 0, "not accepted");
    }

    function test_skips_workOfAnotherLine() public {
        skips(workOn(keccak256("other"), 1, pk(1), 1e15), 0, Skip.Signature);
    }

    function test_skips_workAtAnotherPrice() public {
        bytes32 cheap = registry.addModel(modelOf(3, PRICE_IN - 1, LEASE, address(verifier)));
        skips(workOn(ledger.lineOf(cheap, head), 1, pk(1), 1e15), 0, Skip.Signature);
    }

    function test_skips_workForAnotherHead() public {
        bytes32 other = ledger.lineOf(model, vm.addr(pk(0) + REPLICA));
        skips(workOn(other, 1, pk(1), 1e15), 0, Skip.Signature);
    }

    function test_skips_keyOfAnotherSlot() public {
        skips(work(1, pk(2), 1e15), 0, Skip.NotAdmitted);
    }

    function test_skips_slotThatWasNotSigned() public {
        Work memory w = work(2, pk(1), 1e15);
        w.slot = 1;
        skips(w, 0, Skip.Signature);
    }

    function test_skips_stranger() public {
        skips(work(1, 0xBAD, 1e15), 0, Skip.NotAdmitted);
    }

    function test_skips_malformedSignature() public {
        Work memory w = work(2, pk(2), 1e15);
        w.vs = MALFORMED;
        skips(w, 1, Skip.Signature);
    }

    function test_skips_88BitsAndMore(uint128 total) public {
        total = uint128(bound(total, uint256(type(uint88).max) + 1, type(uint128).max));
        skips(work(1, pk(1), total), 0, Skip.OverTotal);
    }

    function test_skips_stageAfterTheGrace() public {
        vm.prank(hostAt(1));
        registry.leave(vm.addr(pk(1)), address(0));
        vm.warp(START + 7 days);
        skips(work(1, pk(1), 1e15), 0, Skip.NotAdmitted);
    }

    function test_takes88Bits() public {
        send(batch(1, chargeUser(1e15), works(type(uint88).max)));
        vm.assertEq(spentOf(user), 1e15, "the largest total");
    }

    function test_noWorkNoCharge() public {
        send(batch(1, chargeUser(1e15), new Work[](0)));
        vm.assertEq(spentOf(user), 0, "nothing proved");
    }

    function test_everySlotMustProve() public {
        send(batch(1, chargeUser(1e15), oneWork(work(1, pk(1), 1e15))));
        vm.assertEq(spentOf(user), 0, "slot 2 proved nothing");
        send(batch(2, chargeUser(1e15), oneWork(work(2, pk(2), 1e15))));
        vm.assertEq(spentOf(user), 0, "slot 1 is not listed");
        send(batch(3, chargeUser(1e15), works(1e15)));
        vm.assertEq(spentOf(user), 1e15, "both");
        vm.assertEq(earned(), 1e15, "all");
    }

    /// Else the tabs of a busy line could not be split over two batches.
    function test_surplusStaysForLater() public {
        send(batch(1, chargeUser(1e15), works(2e15)));
        send(batch(2, chargeEve(1e15), works(2e15)));
        vm.assertEq(spentOf(eve), 1e15, "second half");
        vm.assertEq(earned(), 2e15, "sum");
        send(batch(3, chargeUser(1e15 + 1), works(2e15)));
        vm.assertEq(spentOf(user), 1e15, "used up");
    }

    function test_knownTotalNeedsNoSignature() public {
        send(batch(1, chargeUser(1e15), works(2e15)));
        Work[] memory w = works(2e15);
        (w[0].r, w[0].vs, w[1].r, w[1].vs) = (0, MALFORMED, 0, MALFORMED);
        send(batch(2, chargeUser(2e15), w));
        vm.assertEq(spentOf(user), 2e15, "nothing new to sign");
    }

    function test_workedNeverFalls() public {
        send(batch(1, chargeUser(1e15), works(3e15)));
        send(batch(2, chargeUser(2e15), works(1e15)));
        (uint256 worked, uint256 used) = workOf(pk(1));
        vm.assertEq(worked, 3e15, "worked");
        vm.assertEq(used, 2e15, "used");
    }

    /// Slot 1's node has left; its last total still counts, and a replica goes on.
    function test_deadNodeAndReplica() public {
        Work memory last = work(1, pk(1), 1e15);
        vm.prank(hostAt(1));
        registry.leave(vm.addr(pk(1)), address(0));
        vm.warp(START + 6 days);
        join(model, 1, pk(1) + REPLICA, hostAt(7));
        Work[] memory w = new Work[](3);
        (w[0], w[1]) = ordered(last, work(1, pk(1) + REPLICA, 2e15));
        w[2] = work(2, pk(2), 3e15);
        send(batch(1, chargeUser(3e15), w));
        vm.assertEq(spentOf(user), 3e15, "all tokens");
        vm.assertEq(earned(), 3e15, "no wei made or lost");
        uint256 total = share(0) + share(1) + share(2);
        uint256 pay = uint256(3e15) * (share(0) + share(1)) / total - uint256(3e15) * share(0) / total;
        vm.assertEq(owedTo(pk(1)) + owedTo(pk(1) + REPLICA), pay, "slot 1's share");
        vm.assertTrue(owedTo(pk(1)) <= pay / 3 + 1 && owedTo(pk(1)) + 1 >= pay / 3, "a third to the first");
    }

    function test_deadNodeAlone() public {
        Work[] memory w = works(3e15);
        w[0] = work(1, pk(1), 1e15);
        send(batch(1, chargeUser(3e15), w));
        vm.assertEq(spentOf(user), 0, "not covered");
        send(batch(2, chargeUser(1e15), w));
        vm.assertEq(spentOf(user), 1e15, "covered");
    }

    function test_oneHostInTwoSlots() public {
        address host = address(0x4444);
        Work[] memory w = new Work[](2);
        for (uint256 s = 1; s < 3; ++s) {
            join(model, s, pk(s) + REPLICA, host);
            w[s - 1] = work(s, pk(s) + REPLICA, 1e15);
        }
        send(batch(1, chargeUser(1e15), w));
        for (uint256 s = 1; s < 3; ++s) {
            ledger.collect(line, vm.addr(pk(s) + REPLICA));
        }
        vm.assertEq(ledger.balanceOf(host), 1e15 - owedTo(pk(0)), "all but the head's");
    }

    /// Strict pay does not touch work, and work does not pay for strict queries.
    function test_strictModeIsApart() public {
        send(batch(1, chargeUser(1e15), works(1e15)));
        Query memory q = query(1, 1 ether);
        open(q);
        Receipt memory r = receipt(q, 100, 200);
        settle(q, r, partsFor(r));
        (uint256 worked, uint256 used) = workOf(pk(1));
        vm.assertTrue(worked == 1e15 && used == 1e15, "as before");
        vm.assertEq(earned(), 1e15 + r.cost, "both are paid");
        send(batch(2, chargeUser(2e15), works(1e15)));
        vm.assertEq(spentOf(user), 1e15, "parts are no work");
    }

    function test_neverBeyondTheWork(uint128 proved, uint128 used) public {
        proved = uint128(bound(proved, 0, 1 ether));
        used = uint128(bound(used, proved + 1, 2 ether));
        send(batch(1, chargeUser(used), works(proved)));
        vm.assertEq(spentOf(user), 0, "never");
        vm.assertEq(earned(), 0, "never");
    }

    function test_splitsExactly(uint88 a, uint88 b, uint88 c, uint88 d, uint128 used, uint8 n) public {
        setUpLine(bound(n, 2, 6));
        give(user, 1e27);
        fund(user, 1e27, vm.addr(SESSION));
        (Work[] memory w, uint256 most) = _twoASlot([uint256(a), b, c, d]);
        used = uint128(bound(used, 0, most > 1e24 ? 1e24 : most)); // owed has 80 bits
        send(batch(1, chargeUser(used), w));
        vm.assertEq(spentOf(user), used, "taken");
        vm.assertEq(earned(), used, "no wei made or lost");
        for (uint256 s = 1; s < slots; ++s) {
            (uint256 worked, uint256 usedUp) = workOf(pk(s));
            (uint256 workedToo, uint256 usedUpToo) = workOf(pk(s) + REPLICA);
            vm.assertTrue(usedUp <= worked && usedUpToo <= workedToo, "used <= worked");
            vm.assertEq(usedUp + usedUpToo, used, "work used up");
        }
    }

    function _twoASlot(uint256[4] memory x) internal returns (Work[] memory w, uint256 most) {
        w = new Work[](2 * slots - 2);
        most = type(uint256).max;
        for (uint256 s = 1; s < slots; ++s) {
            join(model, s, pk(s) + REPLICA, hostAt(50 + s));
            uint256 first = bound(x[s % 4], 0, 1.5e26); // below 2^88
            uint256 second = bound(x[(s + 1) % 4], 0, 1.5e26);
            if (first + second < most) most = first + second;
            (w[2 * s - 2], w[2 * s - 1]) =
                ordered(work(s, pk(s), uint128(first)), work(s, pk(s) + REPLICA, uint128(second)));
        }
    }
}
