// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Charge, ILedger} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

abstract contract TabSetup is Setup {
    address internal session = vm.addr(SESSION);

    function setUpTab() internal {
        setUpLine(3);
        give(user, 10 ether);
        fund(user, 2 ether, session);
    }

    function tabOf(address who)
        internal
        view
        returns (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 at)
    {
        return ledger.tab(who, line);
    }

    function voucher(uint32 epoch, uint128 used) internal view returns (Charge[] memory) {
        return one(charge(SESSION, user, epoch, used, used));
    }

    function closeTab(address who) internal {
        vm.prank(who);
        ledger.close(line);
    }
}

contract FundTest is TabSetup {
    function setUp() public {
        setUpTab();
    }

    function fundFails(address to, uint128 amount, address signer, bytes memory why) internal {
        vm.prank(user);
        vm.expectRevert(why);
        ledger.fund(model, to, amount, signer);
    }

    function test_refuses_signerZero() public {
        fundFails(address(1), 0, address(0), err(ILedger.NotUser.selector));
        fundFails(head, 0, address(0), err(ILedger.NotUser.selector));
    }

    /// Another signer would void vouchers that are not settled yet.
    function test_refuses_anotherSigner(address signer) public {
        if (signer == session) return;
        fundFails(head, 0, signer, err(ILedger.NotUser.selector));
    }

    function test_refuses_moreThanTheBalance(uint128 amount) public {
        fundFails(head, uint128(bound(amount, 8 ether + 1, type(uint128).max)), session, PANIC_ARITHMETIC);
    }

    function test_fund(uint128 amount) public {
        amount = uint128(bound(amount, 0, 8 ether));
        vm.expectEmit(address(ledger));
        emit ILedger.TabFunded(user, line, model, head, amount, session, 0);
        fund(user, amount, session);
        (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 at) = tabOf(user);
        vm.assertEq(funded, 2 ether + amount, "funded");
        vm.assertEq(ledger.balanceOf(user), 8 ether - amount, "paid");
        vm.assertEq(signer, session, "signer");
        vm.assertTrue(spent == 0 && epoch == 0 && at == 0, "the rest as before");
    }

    function test_cancelsClosing() public {
        closeTab(user);
        fund(user, 0, session);
        (,,,, uint48 at) = tabOf(user);
        vm.assertEq(at, 0, "open again");
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(ILedger.TooEarly.selector);
        ledger.finish(user, line);
    }

    function test_tabsOfTwoLinesAreApart() public {
        vm.prank(user);
        ledger.fund(model, address(0x77), 1 ether, user);
        (uint128 funded,, address signer,,) = ledger.tab(user, ledger.lineOf(model, address(0x77)));
        vm.assertEq(funded, 1 ether, "its own money");
        vm.assertEq(signer, user, "its own signer");
    }
}

contract CloseTest is TabSetup {
    function setUp() public {
        setUpTab();
    }

    function test_refuses_closingNoTab() public {
        vm.expectRevert(ILedger.WrongTab.selector);
        ledger.close(line);
    }

    function test_refuses_closingTwice() public {
        closeTab(user);
        vm.prank(user);
        vm.expectRevert(ILedger.WrongTab.selector);
        ledger.close(line);
    }

    function test_refuses_finishingOpenTab() public {
        vm.expectRevert(ILedger.TooEarly.selector);
        ledger.finish(user, line);
    }

    function test_refuses_finishingEarly(uint48 wait) public {
        closeTab(user);
        vm.warp(START + bound(wait, 0, 1 days - 1));
        vm.expectRevert(ILedger.TooEarly.selector);
        ledger.finish(user, line);
    }

    function test_refuses_finishingTwice() public {
        closeTab(user);
        vm.warp(START + 1 days);
        ledger.finish(user, line);
        vm.expectRevert(ILedger.TooEarly.selector);
        ledger.finish(user, line);
    }

    function test_close() public {
        vm.expectEmit(address(ledger));
        emit ILedger.TabClosing(user, line, uint48(START + 1 days));
        closeTab(user);
        (,,,, uint48 at) = tabOf(user);
        vm.assertEq(at, START + 1 days, "closeAt");
    }

    function test_finish(uint128 used, address sender) public {
        used = uint128(bound(used, 1, 2 ether));
        send(batch(1, voucher(0, used), works(used)));
        closeTab(user);
        vm.warp(START + 1 days);
        vm.expectEmit(address(ledger));
        emit ILedger.TabClosed(user, line, 0, 2 ether - used);
        vm.prank(sender);
        ledger.finish(user, line);
        vm.assertEq(ledger.balanceOf(user), 10 ether - used, "the rest is back");
        (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 at) = tabOf(user);
        vm.assertEq(epoch, 1, "next epoch");
        vm.assertTrue(funded == 0 && spent == 0 && signer == address(0) && at == 0, "cleared");
    }

    function test_chargesWhileClosing() public {
        closeTab(user);
        vm.warp(START + 3 days);
        send(batch(1, voucher(0, 1e15), works(1e15)));
        vm.assertEq(spentOf(user), 1e15, "until somebody finishes it");
    }

    function test_reopenedTabIgnoresTheOldEpoch() public {
        send(batch(1, voucher(0, 1e15), works(9e15)));
        closeTab(user);
        vm.warp(START + 1 days);
        ledger.finish(user, line);
        fund(user, 1 ether, session);
        send(batch(2, voucher(0, 2e15), works(9e15)));
        vm.assertEq(spentOf(user), 0, "old epoch");
        Charge memory relabelled = charge(SESSION, user, 0, 2e15, 2e15);
        relabelled.epoch = 1;
        send(batch(3, one(relabelled), works(9e15)));
        vm.assertEq(spentOf(user), 0, "relabelled");
        send(batch(4, voucher(1, 2e15), works(9e15)));
        vm.assertEq(spentOf(user), 2e15, "new epoch");
    }
}

contract ReleaseTest is TabSetup {
    function setUp() public {
        setUpTab();
    }

    function release(uint32 epoch, uint128 used, bytes32 r, bytes32 vs) internal {
        ledger.release(user, model, head, epoch, used, r, vs);
    }

    function test_refuses_moreThanIsSpent(uint128 used) public {
        used = uint128(bound(used, 1, type(uint128).max));
        (bytes32 r, bytes32 vs) = signRelease(user, 0, used);
        vm.expectRevert(ILedger.WrongTab.selector);
        release(0, used, r, vs);
    }

    function test_refuses_staleAfterMoreUse() public {
        (bytes32 r, bytes32 vs) = signRelease(user, 0, 1e15);
        send(batch(1, voucher(0, 1e15), works(9e15)));
        send(batch(2, voucher(0, 2e15), works(9e15)));
        vm.expectRevert(ILedger.WrongTab.selector);
        release(0, 1e15, r, vs);
    }

    function test_refuses_anotherEpoch(uint32 epoch) public {
        epoch = uint32(bound(epoch, 1, type(uint32).max));
        (bytes32 r, bytes32 vs) = signRelease(user, epoch, 0);
        vm.expectRevert(ILedger.WrongTab.selector);
        release(epoch, 0, r, vs);
    }

    function test_refuses_noTab() public {
        (bytes32 r, bytes32 vs) = signRelease(hostAt(1), 0, 0);
        vm.expectRevert(ILedger.WrongTab.selector);
        ledger.release(hostAt(1), model, head, 0, 0, r, vs);
    }

    function test_refuses_signatureForAnother() public {
        (bytes32 r, bytes32 vs) = signRelease(hostAt(1), 0, 0);
        vm.expectRevert(err(ILedger.WrongSigner.selector, head));
        release(0, 0, r, vs);
    }

    function test_refuses_malformedSignature() public {
        vm.expectRevert(err(ILedger.WrongSigner.selector, head));
        release(0, 0, 0, MALFORMED);
    }

    function test_refuses_anotherHead() public {
        (bytes32 r, bytes32 vs) = signRelease(user, 0, 0);
        vm.expectRevert(ILedger.WrongTab.selector);
        ledger.release(user, model, vm.addr(pk(1)), 0, 0, r, vs);
    }

    function test_refuses_twice() public {
        (bytes32 r, bytes32 vs) = signRelease(user, 0, 0);
        release(0, 0, r, vs);
        vm.expectRevert(ILedger.WrongTab.selector);
        release(0, 0, r, vs);
    }

    function test_release(uint128 used) public {
        used = uint128(bound(used, 1, 2 ether));
        send(batch(1, voucher(0, used), works(used)));
        (bytes32 r, bytes32 vs) = signRelease(user, 0, used);
        vm.expectEmit(address(ledger));
        emit ILedger.TabClosed(user, line, 0, 2 ether - used);
        vm.prank(hostAt(9));
        release(0, used, r, vs);
        vm.assertEq(ledger.balanceOf(user), 10 ether - used, "at once");
        send(batch(2, voucher(0, 2 ether), works(4 ether)));
        vm.assertEq(spentOf(user), 0, "stale voucher");
        vm.assertEq(earned(), used, "nothing more is earned");
    }

    /// It only helps the user, so a head that has left may still do it.
    function test_releasesAfterTheLease() public {
        (bytes32 r, bytes32 vs) = signRelease(user, 0, 0);
        vm.warp(START + LEASE + 8 days);
        release(0, 0, r, vs);
        vm.assertEq(ledger.balanceOf(user), 10 ether, "whole");
    }
}
