// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Charge, Query, Receipt} from "../src/interfaces/ILedger.sol";
import {Setup} from "./Setup.sol";

/// Writes snapshots/GasTest.json; run with --isolate, so that every call is a transaction of its own, calldata and the
/// first 21,000 included. Calls are measured in their usual state, the second time, unless the name says "first".
contract GasTest is Setup {
    function strict(uint256 n, string memory tag) internal {
        setUpLine(n);
        give(user, 10 ether);
        for (uint64 i; i < 2; ++i) {
            Query memory q = query(i, 1 ether);
            open(q);
            if (i == 1) vm.snapshotGasLastCall("open");
            Receipt memory r = receipt(q, 100, 200);
            settle(q, r, partsFor(r));
            vm.snapshotGasLastCall(string.concat(i == 0 ? "settle first" : "settle", tag));
        }
    }

    function test_strict2() public {
        strict(2, " n=2");
    }

    function test_strict4() public {
        strict(4, " n=4");
    }

    function test_strict8() public {
        strict(8, " n=8");
    }

    function batches(uint256 n, uint256 users, string memory tag) internal {
        setUpLine(n);
        for (uint64 seq = 1; seq < 3; ++seq) {
            Charge[] memory c = new Charge[](users);
            for (uint256 i; i < users; ++i) {
                address who = vm.addr(0xF00 + i);
                if (seq == 1) {
                    give(who, 1 ether);
                    fund(who, 0.5 ether, who);
                }
                c[i] = charge(0xF00 + i, who, 0, uint128(1e15 * seq), uint128(1e15 * seq));
            }
            send(batch(seq, c, works(uint128(1e15 * seq * users))));
            vm.snapshotGasLastCall(string.concat(seq == 1 ? "settleBatch first " : "settleBatch ", tag));
        }
    }

    function test_batch1() public {
        batches(2, 1, "1 tab n=2");
        for (uint64 i; i < 2; ++i) {
            ledger.collect(line, head);
            vm.snapshotGasLastCall(i == 0 ? "collect first" : "collect");
            uint128 total = uint128(1e15 * (3 + i));
            send(batch(3 + i, one(charge(0xF00, vm.addr(0xF00), 0, total, total)), works(total)));
        }
    }

    function test_batch10() public {
        batches(2, 10, "10 tabs n=2");
    }

    function test_batch100() public {
        batches(2, 100, "100 tabs n=2");
    }

    function test_batch10n8() public {
        batches(8, 10, "10 tabs n=8");
    }

    function test_credits() public {
        setUpLine(2);
        vm.deal(user, 10 ether);
        vm.prank(user);
        ledger.buy{value: 1 ether}(user);
        vm.snapshotGasLastCall("buy first");
        vm.prank(user);
        ledger.buy{value: 1 ether}(user);
        vm.snapshotGasLastCall("buy");
        vm.prank(user);
        ledger.withdraw(0.5 ether, payable(user));
        vm.snapshotGasLastCall("withdraw");
    }

    function test_tabs() public {
        setUpLine(2);
        give(user, 10 ether);
        fund(user, 0.5 ether, user);
        vm.snapshotGasLastCall("fund first");
        fund(user, 0.5 ether, user);
        vm.snapshotGasLastCall("fund");
        vm.prank(user);
        ledger.close(line);
        vm.snapshotGasLastCall("close");
        vm.warp(block.timestamp + 2 days);
        ledger.finish(user, line);
        vm.snapshotGasLastCall("finish");
        fund(user, 0.5 ether, user);
        (bytes32 r, bytes32 vs) = signRelease(user, 1, 0);
        ledger.release(user, model, head, 1, 0, r, vs);
        vm.snapshotGasLastCall("release");
    }

    function test_openSignedAndRefund() public {
        setUpLine(2);
        give(user, 10 ether);
        Query memory q = query(1, 1 ether);
        (bytes32 r, bytes32 vs) = sign(USER, idOf(q));
        ledger.openSigned(q, r, vs);
        vm.snapshotGasLastCall("openSigned");
        vm.warp(q.deadline + 1);
        ledger.refund(q);
        vm.snapshotGasLastCall("refund");
    }

    function test_registry() public {
        setUpLine(2);
        join(model, 0, 0x8888, address(0x2222));
        vm.snapshotGasLastCall("join first, verifier excluded");
        join(model, 0, 0x8888, address(0x2222));
        vm.snapshotGasLastCall("join, verifier excluded");
        vm.prank(address(0x2222));
        registry.leave(vm.addr(0x8888), address(0));
        vm.snapshotGasLastCall("leave");
        registry.addModel(modelOf(2, 5, LEASE, address(verifier)));
        vm.snapshotGasLastCall("addModel n=2");
        registry.addModel(modelOf(64, 5, LEASE, address(verifier)));
        vm.snapshotGasLastCall("addModel n=64");
    }

    function test_sizes() public {
        setUpLine(1);
        vm.snapshotValue("size Ledger", address(ledger).code.length);
        vm.snapshotValue("size Registry", address(registry).code.length);
    }
}
