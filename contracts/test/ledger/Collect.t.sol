// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ILedger} from "../../src/interfaces/ILedger.sol";
import {BatchSetup} from "./SettleBatch.t.sol";

contract CollectTest is BatchSetup {
    function setUp() public {
        setUpTabs();
        send(batch(1, chargeUser(1e15), works(1e15)));
    }

    function test_collectsNothingOfNobody(address key) public {
        uint256 before = ledger.balanceOf(address(0));
        ledger.collect(keccak256("other"), key);
        vm.assertEq(ledger.balanceOf(address(0)), before, "nothing");
    }

    function test_collect(address sender) public {
        uint256 owed = owedTo(pk(1));
        vm.expectEmit(address(ledger));
        emit ILedger.Collected(line, vm.addr(pk(1)), hostAt(1), owed);
        vm.prank(sender);
        ledger.collect(line, vm.addr(pk(1)));
        vm.assertEq(ledger.balanceOf(hostAt(1)), owed, "to the host");
        vm.assertEq(owedTo(pk(1)), 0, "no more owed");
        (uint256 worked, uint256 used) = workOf(pk(1));
        vm.assertTrue(worked == 1e15 && used == 1e15, "work is kept");
    }

    function test_collectsOnce() public {
        uint256 owed = owedTo(pk(1));
        ledger.collect(line, vm.addr(pk(1)));
        ledger.collect(line, vm.addr(pk(1)));
        vm.assertEq(ledger.balanceOf(hostAt(1)), owed, "once");
    }

    function test_collectsAfterLeaseAndGrace(uint32 wait) public {
        vm.warp(START + LEASE + 8 days + wait);
        uint256 sum;
        for (uint256 s; s < 3; ++s) {
            ledger.collect(line, vm.addr(pk(s)));
            sum += ledger.balanceOf(hostAt(s));
        }
        vm.assertEq(sum, 1e15, "everything");
    }
}
