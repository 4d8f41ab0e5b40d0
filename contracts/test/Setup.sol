// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Ledger} from "../src/Ledger.sol";
import {Registry} from "../src/Registry.sol";
import {Batch, Charge, Part, Query, Receipt, Work} from "../src/interfaces/ILedger.sol";
import {IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {Model, Slot} from "../src/interfaces/IRegistry.sol";
import {Base} from "./Base.sol";

/// Accepts any quote: its bytes are the report data.
contract FakeVerifier is IQuoteVerifier {
    function verify(bytes calldata quote, bytes32) external pure returns (bytes32) {
        return abi.decode(quote, (bytes32));
    }
}

/// A line of `slots` slots. Slot s is held by the private key pk(s) of host hostAt(s); a replica is pk(s) + REPLICA.
/// Everything is signed as a client would, without help from the contracts under test.
abstract contract Setup is Base {
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant USER = 0xA11CE;
    uint256 internal constant SESSION = 0x5E55; // signs vouchers for the user's tab
    uint256 internal constant REPLICA = 0x100;
    uint64 internal constant PRICE_IN = 1e9;
    uint64 internal constant PRICE_OUT = 3e9;
    uint32 internal constant LEASE = 30 days;

    Registry internal registry;
    Ledger internal ledger;
    FakeVerifier internal verifier;
    bytes32 internal model;
    bytes32 internal line;
    bytes32 internal domain;
    address internal user = vm.addr(USER);
    address internal head;
    uint256 internal slots;

    function pk(uint256 s) internal pure returns (uint256) {
        return 0x7EE000 + s;
    }

    function weights(uint256 s) internal pure returns (bytes32) {
        return keccak256(abi.encode("w", s));
    }

    function share(uint256 s) internal pure returns (uint32) {
        return uint32(11 + s * 7);
    }

    function hostAt(uint256 s) internal pure returns (address) {
        return address(uint160(0x1000 + s));
    }

    // ---------------------------------------------------------------- the world

    function modelOf(uint256 n, uint64 priceIn, uint32 lease, address judge) internal pure returns (Model memory m) {
        m = Model(keccak256("manifest"), judge, priceIn, PRICE_OUT, 600, lease, new Slot[](n));
        for (uint256 i; i < n; ++i) {
            m.slots[i] = Slot(weights(i), share(i));
        }
    }

    function setUpLine(uint256 n) internal {
        vm.warp(START);
        vm.roll(1000);
        slots = n;
        verifier = new FakeVerifier();
        registry = new Registry();
        ledger = new Ledger(registry);
        domain = domainOf("TeeTee", address(ledger));
        model = registry.addModel(modelOf(n, PRICE_IN, LEASE, address(verifier)));
        for (uint256 s; s < n; ++s) {
            join(model, s, pk(s), hostAt(s));
        }
        head = vm.addr(pk(0));
        line = keccak256(abi.encode(model, head));
    }

    function domainOf(string memory name, address where) internal view returns (bytes32) {
        bytes32 typehash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(typehash, keccak256(bytes(name)), keccak256("1"), block.chainid, where));
    }

    function quoteFor(address host, address key, uint256 s, uint256 blockNumber) internal view returns (bytes memory) {
        bytes32 recent = blockhash(blockNumber);
        return abi.encode(keccak256(abi.encode(block.chainid, registry, host, key, weights(s), recent)));
    }

    function join(bytes32 m, uint256 s, uint256 k, address host) internal {
        bytes memory quote = quoteFor(host, vm.addr(k), s, 999);
        vm.prank(host);
        registry.join(m, uint8(s), vm.addr(k), "https://node.example:8443", quote, 999);
    }

    function give(address who, uint256 amount) internal {
        vm.deal(who, amount);
        vm.prank(who);
        ledger.buy{value: amount}(who);
    }

    function fund(address who, uint128 amount, address signer) internal {
        vm.prank(who);
        ledger.fund(model, head, amount, signer);
    }

    function open(Query memory q) internal {
        vm.prank(q.user);
        ledger.open(q);
    }

    // ---------------------------------------------------------------- signatures

    function digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }

    function sign(uint256 k, bytes32 hash) internal pure returns (bytes32, bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(k, hash);
        return (r, bytes32((uint256(v - 27) << 255) | uint256(s))); // EIP-2098
    }

    bytes32 internal constant MALFORMED = bytes32(type(uint256).max);

    // ---------------------------------------------------------------- strict mode

    function query(uint64 nonce, uint128 maxCost) internal view returns (Query memory) {
        return Query(user, model, head, keccak256("prompt"), maxCost, uint64(block.timestamp + 900), nonce);
    }

    function idOf(Query memory q) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Query(address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 deadline,uint64 nonce)"
        );
        return digest(keccak256(abi.encode(typehash, q)));
    }

    function price(uint256 tokensIn, uint256 tokensOut) internal pure returns (uint128) {
        return uint128(tokensIn * PRICE_IN + tokensOut * PRICE_OUT);
    }

    function receipt(Query memory q, uint32 tokensIn, uint32 tokensOut) internal view returns (Receipt memory) {
        uint128 cost = q.maxCost == 0 ? 0 : price(tokensIn, tokensOut);
        return Receipt(idOf(q), line, q.input, keccak256("answer"), tokensIn, tokensOut, cost, keccak256("transcript"));
    }

    function hashOf(Receipt memory r) internal pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "Receipt(bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript)"
        );
        return keccak256(abi.encode(typehash, r));
    }

    function headSign(Receipt memory r) internal view returns (bytes32, bytes32) {
        return sign(pk(0), digest(hashOf(r)));
    }

    function part(bytes32 id, uint256 s, uint256 k, uint32 tokensIn, uint32 tokensOut)
        internal
        view
        returns (Part memory)
    {
        bytes32 typehash = keccak256("Part(bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut)");
        bytes32 hash = keccak256(abi.encode(typehash, id, uint8(s), vm.addr(k), tokensIn, tokensOut));
        (bytes32 r, bytes32 vs) = sign(k, digest(hash));
        return Part(vm.addr(k), uint8(s), tokensIn, tokensOut, r, vs);
    }

    /// One part a slot, each covering the whole receipt.
    function partsFor(Receipt memory r) internal view returns (Part[] memory p) {
        p = new Part[](slots - 1);
        for (uint256 s = 1; s < slots; ++s) {
            p[s - 1] = part(r.query, s, pk(s), r.tokensIn, r.tokensOut);
        }
    }

    function settle(Query memory q, Receipt memory r, Part[] memory p) internal {
        (bytes32 hr, bytes32 hvs) = headSign(r);
        ledger.settle(q, r, p, hr, hvs);
    }

    function settleFails(Query memory q, Receipt memory r, Part[] memory p, bytes memory why) internal {
        (bytes32 hr, bytes32 hvs) = headSign(r);
        vm.expectRevert(why);
        ledger.settle(q, r, p, hr, hvs);
    }

    // ---------------------------------------------------------------- tab mode

    function workOn(bytes32 l, uint256 s, uint256 k, uint128 total) internal view returns (Work memory) {
        bytes32 typehash = keccak256("Work(bytes32 line,uint8 slot,address key,uint128 total)");
        (bytes32 r, bytes32 vs) = sign(k, digest(keccak256(abi.encode(typehash, l, uint8(s), vm.addr(k), total))));
        return Work(vm.addr(k), uint8(s), total, r, vs);
    }

    function work(uint256 s, uint256 k, uint128 total) internal view returns (Work memory) {
        return workOn(line, s, k, total);
    }

    /// One entry a slot, all with the same total.
    function works(uint128 total) internal view returns (Work[] memory w) {
        w = new Work[](slots - 1);
        for (uint256 s = 1; s < slots; ++s) {
            w[s - 1] = work(s, pk(s), total);
        }
    }

    function charge(uint256 k, address who, uint32 epoch, uint128 used, uint128 total)
        internal
        view
        returns (Charge memory)
    {
        bytes32 typehash = keccak256("Voucher(address user,bytes32 line,uint32 epoch,uint128 total)");
        (bytes32 r, bytes32 vs) = sign(k, digest(keccak256(abi.encode(typehash, who, line, epoch, total))));
        return Charge(who, epoch, used, total, r, vs);
    }

    function batch(uint64 seq, Charge[] memory c, Work[] memory w) internal pure returns (Batch memory) {
        return Batch(seq, uint32(c.length), keccak256(abi.encode(seq)), c, w);
    }

    function signBatch(uint256 k, Batch memory b) internal view returns (bytes32, bytes32) {
        bytes32 typehash =
            keccak256("Batch(bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work)");
        bytes32 charges = hashWords(abi.encode(b.charges));
        bytes32 work_ = hashWords(abi.encode(b.work));
        return sign(k, digest(keccak256(abi.encode(typehash, line, b.seq, b.count, b.root, charges, work_))));
    }

    /// The hash of an encoded array without its offset and length.
    function hashWords(bytes memory encoded) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(encoded, 96), sub(mload(encoded), 64))
        }
    }

    function send(Batch memory b) internal {
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        ledger.settleBatch(model, head, b, r, vs);
    }

    function sendFails(Batch memory b, bytes memory why) internal {
        (bytes32 r, bytes32 vs) = signBatch(pk(0), b);
        vm.expectRevert(why);
        ledger.settleBatch(model, head, b, r, vs);
    }

    function signRelease(address who, uint32 epoch, uint128 used) internal view returns (bytes32, bytes32) {
        bytes32 typehash = keccak256("Release(address user,bytes32 line,uint32 epoch,uint128 used)");
        return sign(pk(0), digest(keccak256(abi.encode(typehash, who, line, epoch, used))));
    }

    // ---------------------------------------------------------------- small helpers

    function one(Charge memory c) internal pure returns (Charge[] memory list) {
        list = new Charge[](1);
        list[0] = c;
    }

    function pair(Charge memory a, Charge memory b) internal pure returns (Charge[] memory list) {
        list = new Charge[](2);
        (list[0], list[1]) = (a, b);
    }

    function oneWork(Work memory w) internal pure returns (Work[] memory list) {
        list = new Work[](1);
        list[0] = w;
    }

    /// Two entries of one slot in the order that the contract wants.
    function ordered(Work memory a, Work memory b) internal pure returns (Work memory, Work memory) {
        return a.key < b.key ? (a, b) : (b, a);
    }

    function ordered(Part memory a, Part memory b) internal pure returns (Part memory, Part memory) {
        return a.key < b.key ? (a, b) : (b, a);
    }

    function spentOf(address who) internal view returns (uint128 spent) {
        (, spent,,,) = ledger.tab(who, line);
    }

    function owedTo(uint256 k) internal view returns (uint256 owed) {
        (,, owed) = ledger.account(line, vm.addr(k));
    }

    function workOf(uint256 k) internal view returns (uint256 worked, uint256 used) {
        (worked, used,) = ledger.account(line, vm.addr(k));
    }

    /// What all keys of the line, replicas too, are owed.
    function earned() internal view returns (uint256 sum) {
        for (uint256 s; s < slots; ++s) {
            sum += owedTo(pk(s)) + owedTo(pk(s) + REPLICA);
        }
    }

    function err(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodePacked(selector);
    }

    function err(bytes4 selector, address who) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, who);
    }

    function err(bytes4 selector, uint256 number) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, number);
    }

    bytes internal constant PANIC_ARITHMETIC =
        hex"4e487b710000000000000000000000000000000000000000000000000000000000000011";
}
