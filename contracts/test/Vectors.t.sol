// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Ledger} from "../src/Ledger.sol";
import {Registry} from "../src/Registry.sol";
import {Query, Receipt} from "../src/interfaces/ILedger.sol";
import {Model, Slot} from "../src/interfaces/IRegistry.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Base} from "./Base.sol";

/// The contracts agree with test/vectors/typed-data.json, which viem made and the C++ tests load too.
contract VectorsTest is Base {
    string internal json = vm.readFile("test/vectors/typed-data.json");
    Ledger internal ledger; // its code at the address that the vectors name
    bytes32 internal separator;

    function setUp() public {
        address where = addressAt(".domains[0].verifyingContract");
        vm.etch(where, address(new Ledger(new Registry())).code);
        ledger = Ledger(where);
        separator = wordAt(".domains[0].separator");
    }

    function at(string memory list, uint256 i) internal pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }

    function at(string memory list, uint256 i, string memory field) internal pure returns (string memory) {
        return string.concat(at(list, i), field);
    }

    function wordAt(string memory path) internal view returns (bytes32) {
        return vm.parseJsonBytes32(json, path);
    }

    function numberAt(string memory path) internal view returns (uint256) {
        return vm.parseJsonUint(json, path);
    }

    function addressAt(string memory path) internal view returns (address) {
        return vm.parseJsonAddress(json, path);
    }

    function receiptAt(string memory path) internal view returns (Receipt memory r) {
        r.query = wordAt(string.concat(path, ".query"));
        r.line = wordAt(string.concat(path, ".line"));
        r.input = wordAt(string.concat(path, ".input"));
        r.output = wordAt(string.concat(path, ".output"));
        r.tokensIn = uint32(numberAt(string.concat(path, ".tokensIn")));
        r.tokensOut = uint32(numberAt(string.concat(path, ".tokensOut")));
        r.cost = uint128(numberAt(string.concat(path, ".cost")));
        r.transcript = wordAt(string.concat(path, ".transcript"));
    }

    function modelAt(string memory path) internal view returns (Model memory m) {
        m.manifest = wordAt(string.concat(path, ".manifest"));
        m.verifier = addressAt(string.concat(path, ".verifier"));
        m.priceIn = uint64(numberAt(string.concat(path, ".priceIn")));
        m.priceOut = uint64(numberAt(string.concat(path, ".priceOut")));
        m.timeout = uint32(numberAt(string.concat(path, ".timeout")));
        m.lease = uint32(numberAt(string.concat(path, ".lease")));
        string memory slots = string.concat(path, ".slots");
        uint256 count;
        while (vm.keyExistsJson(json, at(slots, count))) {
            ++count;
        }
        m.slots = new Slot[](count);
        for (uint256 s; s < count; ++s) {
            m.slots[s] = Slot(wordAt(at(slots, s, ".weights")), uint32(numberAt(at(slots, s, ".share"))));
        }
    }

    // ---------------------------------------------------------------- tests

    function test_queries() public view {
        for (uint256 i; i < 5; ++i) {
            string memory path = at(".typed.Query", i, ".message");
            Query memory q;
            q.user = addressAt(string.concat(path, ".user"));
            q.model = wordAt(string.concat(path, ".model"));
            q.head = addressAt(string.concat(path, ".head"));
            q.input = wordAt(string.concat(path, ".input"));
            q.maxCost = uint128(numberAt(string.concat(path, ".maxCost")));
            q.deadline = uint64(numberAt(string.concat(path, ".deadline")));
            q.nonce = uint64(numberAt(string.concat(path, ".nonce")));
            vm.assertEq(ledger.queryId(q), wordAt(at(".typed.Query", i, ".digest")), "query id");
        }
    }

    function test_receipts() public view {
        for (uint256 i; i < 5; ++i) {
            bytes32 hash = ledger.receiptHash(receiptAt(at(".typed.Receipt", i, ".message")));
            vm.assertEq(hash, wordAt(at(".typed.Receipt", i, ".structHash")), "receipt hash");
        }
    }

    function test_digestsAndSignatures() public view {
        string[8] memory types = [".Query", ".Receipt", ".Part", ".Work", ".Voucher", ".Release", ".Batch", ".Access"];
        for (uint256 t; t < types.length; ++t) {
            checkSigned(string.concat(".typed", types[t]), separator);
        }
        checkSigned(".typed.Approval", wordAt(".domains[1].separator"));
    }

    function checkSigned(string memory list, bytes32 domain) internal view {
        for (uint256 i; i < 5; ++i) {
            bytes32 hash = wordAt(at(list, i, ".structHash"));
            bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, hash));
            vm.assertEq(digest, wordAt(at(list, i, ".digest")), "digest");
            (address signer,,) = ECDSA.tryRecover(digest, wordAt(at(list, i, ".r")), wordAt(at(list, i, ".vs")));
            vm.assertEq(signer, addressAt(at(list, i, ".signer")), "signer");
            vm.assertEq(signer, vm.addr(uint256(wordAt(at(list, i, ".privateKey")))), "key");
        }
    }

    function test_models() public {
        Registry registry = new Registry();
        for (uint256 i; i < 5; ++i) {
            bytes32 id = registry.addModel(modelAt(at(".models", i, ".model")));
            vm.assertEq(id, wordAt(at(".models", i, ".id")), "id");
            (bytes26 family,,,,,,) = registry.info(id);
            bytes memory expected = vm.parseJsonBytes(json, at(".models", i, ".family"));
            vm.assertEq(keccak256(abi.encodePacked(family)), keccak256(expected), "family");
        }
    }

    function test_linesAndJoins() public view {
        for (uint256 i; i < 5; ++i) {
            bytes32 line = ledger.lineOf(wordAt(at(".lines", i, ".model")), addressAt(at(".lines", i, ".head")));
            vm.assertEq(line, wordAt(at(".lines", i, ".line")), "line");
            bytes32 report = keccak256(
                abi.encode(
                    numberAt(at(".joins", i, ".chainId")),
                    addressAt(at(".joins", i, ".registry")),
                    addressAt(at(".joins", i, ".host")),
                    addressAt(at(".joins", i, ".key")),
                    wordAt(at(".joins", i, ".weights")),
                    wordAt(at(".joins", i, ".blockHash"))
                )
            );
            vm.assertEq(report, wordAt(at(".joins", i, ".reportData")), "report data");
        }
    }

    function test_trees() public view {
        uint8[5] memory sizes = [1, 2, 3, 5, 8];
        for (uint256 t; t < sizes.length; ++t) {
            bytes32 root = wordAt(at(".merkle", t, ".root"));
            for (uint256 i; i < sizes[t]; ++i) {
                bytes32 leaf = ledger.receiptHash(receiptAt(at(at(".merkle", t, ".receipts"), i)));
                vm.assertEq(leaf, wordAt(at(at(".merkle", t, ".leaves"), i)), "leaf");
                bytes32[] memory proof = vm.parseJsonBytes32Array(json, at(at(".merkle", t, ".proofs"), i));
                vm.assertTrue(MerkleProof.verify(proof, root, leaf), "proof");
            }
        }
    }

    /// Calls whose answer follows from the calldata alone.
    function test_calldata() public {
        Registry registry = new Registry();
        uint256 checked;
        for (uint256 i; vm.keyExistsJson(json, at(".calls", i)); ++i) {
            bytes memory data = vm.parseJsonBytes(json, at(".calls", i, ".data"));
            if (bytes4(data) == Ledger.receiptHash.selector) {
                (bool ok, bytes memory answer) = address(ledger).staticcall(data);
                Receipt memory r = receiptAt(at(".calls", i, ".arguments.r"));
                vm.assertTrue(ok && abi.decode(answer, (bytes32)) == ledger.receiptHash(r), "receiptHash");
                ++checked;
            }
            if (bytes4(data) == Registry.addModel.selector) {
                (bool ok, bytes memory answer) = address(registry).call(data);
                Model memory m = modelAt(at(".calls", i, ".arguments.m"));
                vm.assertTrue(ok && abi.decode(answer, (bytes32)) == keccak256(abi.encode(m)), "addModel");
                ++checked;
            }
        }
        vm.assertEq(checked, 4, "two each");
    }
}
