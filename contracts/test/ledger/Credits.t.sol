// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

contract Spiteful {
    receive() external payable {
        revert("no");
    }
}

/// Tries to take its money out twice.
contract Greedy {
    ILedger internal immutable ledger;
    bool internal again;

    constructor(ILedger ledger_) {
        ledger = ledger_;
    }

    function take(uint256 amount) external {
        ledger.withdraw(amount, payable(address(this)));
    }

    receive() external payable {
        if (again) return;
        again = true;
        ledger.withdraw(msg.value, payable(address(this)));
    }
}

contract CreditsTest is Setup {
    function setUp() public {
        setUpLine(2);
    }

    function test_refuses_plainTransfer() public {
        vm.deal(user, 2 ether);
        vm.prank(user);
        (bool ok,) = address(ledger).call{value: 1 ether}("");
        vm.assertTrue(!ok, "no receive");
        vm.prank(user);
        (ok,) = address(ledger).call{value: 1 ether}(hex"12345678");
        vm.assertTrue(!ok, "no fallback");
    }

    function test_refuses_overdraw(uint128 amount, uint128 more) public {
        give(user, amount);
        uint256 tooMuch = uint256(amount) + bound(more, 1, type(uint128).max);
        vm.prank(user);
        vm.expectRevert(PANIC_ARITHMETIC);
        ledger.withdraw(tooMuch, payable(user));
    }

    function test_refuses_receiverThatReverts() public {
        give(user, 1 ether);
        address payable spiteful = payable(address(new Spiteful()));
        vm.prank(user);
        vm.expectRevert(ILedger.TransferFailed.selector);
        ledger.withdraw(1 ether, spiteful);
        vm.assertEq(ledger.balanceOf(user), 1 ether, "kept");
    }

    function test_refuses_reentrance() public {
        give(user, 5 ether);
        Greedy greedy = new Greedy(ledger);
        give(address(greedy), 1 ether);
        vm.expectRevert(ILedger.TransferFailed.selector);
        greedy.take(1 ether);
        vm.assertEq(address(ledger).balance, 6 ether, "nothing left");
    }

    function test_buyForAnother(uint96 amount) public {
        vm.deal(user, amount);
        vm.expectEmit(address(ledger));
        emit ILedger.Bought(user, hostAt(1), amount);
        vm.prank(user);
        ledger.buy{value: amount}(hostAt(1));
        vm.assertEq(ledger.balanceOf(hostAt(1)), amount, "credited");
        vm.assertEq(ledger.balanceOf(user), 0, "not the payer");
    }

    function test_withdraw(uint96 amount, uint96 out) public {
        out = uint96(bound(out, 0, amount));
        give(user, amount);
        vm.expectEmit(address(ledger));
        emit ILedger.Withdrawn(user, address(0x9999), out);
        vm.prank(user);
        ledger.withdraw(out, payable(address(0x9999)));
        vm.assertEq(address(0x9999).balance, out, "out");
        vm.assertEq(ledger.balanceOf(user), amount - out, "rest");
    }

    function test_tokens() public {
        give(user, 10 * uint256(PRICE_OUT) + 1);
        vm.assertEq(ledger.tokens(user, model), 10, "rounded down");
        vm.assertEq(ledger.tokens(user, keccak256("unknown")), 0, "unknown model");
        vm.assertEq(ledger.tokens(hostAt(1), model), 0, "no balance");
    }
}
