// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Batch, Charge, Receipt, Work} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

contract ProofsTest is Setup {
    Receipt internal r;
    bytes32[] internal proof;

    /// A batch of two receipts.
    function setUp() public {
        setUpLine(2);
        r = receipt(query(1, 1 ether), 100, 200);
        bytes32 other = hashOf(receipt(query(2, 1 ether), 3, 4));
        bytes32 mine = hashOf(r);
        Batch memory b = batch(1, new Charge[](0), new Work[](0));
        b.root = mine < other ? keccak256(abi.encode(mine, other)) : keccak256(abi.encode(other, mine));
        send(b);
        proof.push(other);
    }

    function test_refuses_changedReceipt() public view {
        Receipt memory x = r;
        x.tokensOut++;
        vm.assertTrue(!ledger.verifyReceipt(x, 1, proof), "tokens");
        x = r;
        x.line = keccak256("other");
        vm.assertTrue(!ledger.verifyReceipt(x, 1, proof), "line");
    }

    function test_refuses_anotherBatch(uint64 seq) public view {
        vm.assertTrue(seq == 1 || !ledger.verifyReceipt(r, seq, proof), "other seq");
        vm.assertTrue(!ledger.verifyReceipt(r, 7, new bytes32[](0)), "no root");
    }

    function test_refuses_wrongProof(bytes32 node) public {
        vm.assertTrue(!ledger.verifyReceipt(r, 1, new bytes32[](0)), "too short");
        proof.push(node);
        vm.assertTrue(!ledger.verifyReceipt(r, 1, proof), "too long");
    }

    function test_verifyReceipt() public view {
        vm.assertTrue(ledger.verifyReceipt(r, 1, proof), "in");
    }

    function test_hashes(Receipt memory x, bytes32 m, address h) public view {
        vm.assertEq(ledger.receiptHash(x), hashOf(x), "hashStruct");
        vm.assertEq(ledger.lineOf(m, h), keccak256(abi.encode(m, h)), "line");
    }
}
