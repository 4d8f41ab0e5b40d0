// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Account, Batch, Charge, ILedger, Part, Query, Receipt, Skip, Tab, Work} from "./interfaces/ILedger.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";

/// @title Ledger
/// @notice The specification is in ILedger; comments here say only why the body is as it is.
contract Ledger is ILedger, EIP712("TeeTee", "1") {
    /// Who proved what in one settlement, in memory. Entry i of a list of parts or work is entry i here.
    struct Proof {
        uint256[] who; // slot << 160 | key: one comparison checks the order
        uint256[] free; // wei proved and unpaid
        uint256[] freeOfSlot; // sums of `free`; entry 0 stays empty, slot 0 is the head's
        uint32[] upTo; // prefix sums of the slots' shares
    }

    bytes32 internal constant QUERY_TYPEHASH = keccak256(
        "Query(address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 deadline,uint64 nonce)"
    );
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript)"
    );
    bytes32 internal constant PART_TYPEHASH =
        keccak256("Part(bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut)");
    bytes32 internal constant WORK_TYPEHASH = keccak256("Work(bytes32 line,uint8 slot,address key,uint128 total)");
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(address user,bytes32 line,uint32 epoch,uint128 total)");
    bytes32 internal constant RELEASE_TYPEHASH =
        keccak256("Release(address user,bytes32 line,uint32 epoch,uint128 used)");
    bytes32 internal constant BATCH_TYPEHASH =
        keccak256("Batch(bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work)");

    bytes32 internal constant OPEN = bytes32(uint256(1));
    bytes32 internal constant REFUNDED = bytes32(uint256(2));
    uint256 internal constant MAX_OPEN = 1 days;
    uint48 public constant CLOSE_DELAY = 1 days;

    IRegistry public immutable registry;

    mapping(address => uint256) public balanceOf;
    mapping(bytes32 query => bytes32) public record;
    mapping(address user => mapping(bytes32 line => Tab)) public tab;
    mapping(bytes32 line => mapping(address key => Account)) public account;
    mapping(bytes32 line => uint64) public lastSeq;
    mapping(bytes32 line => mapping(uint64 seq => bytes32)) public batchRoot;

    constructor(IRegistry registry_) {
        registry = registry_;
    }

    // ---------------------------------------------------------------- credits

    /// @inheritdoc ILedger
    function buy(address to) external payable {
        balanceOf[to] += msg.value;
        emit Bought(msg.sender, to, msg.value);
    }

    /// @inheritdoc ILedger
    function withdraw(uint256 amount, address payable to) external {
        balanceOf[msg.sender] -= amount;
        emit Withdrawn(msg.sender, to, amount);
        (bool ok,) = to.call{value: amount}(""); // last: nothing is left to re-enter
        if (!ok) revert TransferFailed();
    }

    // ---------------------------------------------------------------- strict mode

    /// @inheritdoc ILedger
    function open(Query calldata q) external returns (bytes32) {
        if (q.user != msg.sender) revert NotUser();
        return _open(q);
    }

    /// @inheritdoc ILedger
    function openSigned(Query calldata q, bytes32 r, bytes32 vs) external returns (bytes32) {
        if (!_signedBy(q.user, queryId(q), r, vs)) revert WrongSigner(q.user);
        return _open(q);
    }

    function _open(Query calldata q) internal returns (bytes32 id) {
        uint256 timeout = registry.timeoutOf(q.model);
        if (timeout == 0 || q.head == address(0)) revert BadQuery();
        if (q.deadline < block.timestamp + timeout || q.deadline > block.timestamp + MAX_OPEN) revert BadQuery();
        if (q.maxCost == 0 && registry.hostUntil(q.model, q.user) < block.timestamp) revert NotUser();
        id = queryId(q);
        if (record[id] != 0) revert NotOpen();
        record[id] = OPEN;
        if (q.maxCost != 0) balanceOf[q.user] -= q.maxCost;
        emit Opened(id, q.user, q.model, q);
    }

    /// @inheritdoc ILedger
    function settle(Query calldata q, Receipt calldata r, Part[] calldata parts, bytes32 hr, bytes32 hvs) external {
        bytes32 id = queryId(q);
        if (record[id] != OPEN) revert NotOpen();
        bytes32 line = lineOf(q.model, q.head);
        if (r.query != id || r.line != line || r.input != q.input) revert WrongReceipt();
        _requireAdmitted(q.model, 0, q.head);
        bytes32 hash = receiptHash(r);
        if (!_signedBy(q.head, _hashTypedDataV4(hash), hr, hvs)) revert WrongSigner(q.head);
        record[id] = hash;
        Proof memory p = _coverByParts(q, r, parts);
        if (r.cost != 0) _split(line, q.head, p, r.cost, false);
        if (q.maxCost != r.cost) balanceOf[q.user] += q.maxCost - r.cost;
        emit Served(id, line, hash, r);
    }

    function _coverByParts(Query calldata q, Receipt calldata r, Part[] calldata parts)
        internal
        view
        returns (Proof memory p)
    {
        uint256 priceIn;
        uint256 priceOut;
        (priceIn, priceOut, p.upTo) = registry.terms(q.model);
        if (r.cost != (q.maxCost == 0 ? 0 : r.tokensIn * priceIn + r.tokensOut * priceOut)) revert WrongReceipt();
        if (r.cost > q.maxCost) revert OverCharge();
        _allocate(p, parts.length);
        // In << 128 | out, a slot; no sum of 32-bit parts reaches 2^128.
        uint256[] memory tokens_ = new uint256[](p.upTo.length);
        for (uint256 i; i < parts.length; ++i) {
            Part calldata a = parts[i];
            p.who[i] = _ordered(p, i, a.slot, a.key);
            _requireAdmitted(q.model, a.slot, a.key);
            bytes32 hash = keccak256(abi.encode(PART_TYPEHASH, r.query, a.slot, a.key, a.tokensIn, a.tokensOut));
            if (!_signedBy(a.key, _hashTypedDataV4(hash), a.r, a.vs)) revert WrongSigner(a.key);
            tokens_[a.slot] += (uint256(a.tokensIn) << 128) | a.tokensOut;
            p.free[i] = a.tokensIn * priceIn + a.tokensOut * priceOut;
            p.freeOfSlot[a.slot] += p.free[i];
        }
        for (uint256 s = 1; s < tokens_.length; ++s) {
            if (tokens_[s] >> 128 < r.tokensIn || uint128(tokens_[s]) < r.tokensOut) revert NotCovered(s);
        }
    }

    /// @inheritdoc ILedger
    function refund(Query calldata q) external {
        bytes32 id = queryId(q);
        if (record[id] != OPEN) revert NotOpen();
        if (block.timestamp <= q.deadline) revert TooEarly();
        record[id] = REFUNDED;
        balanceOf[q.user] += q.maxCost;
        emit Refunded(id, q.maxCost);
    }

    // ---------------------------------------------------------------- tabs

    /// @inheritdoc ILedger
    function fund(bytes32 model, address head, uint128 amount, address signer) external {
        if (signer == address(0)) revert NotUser();
        balanceOf[msg.sender] -= amount;
        bytes32 line = lineOf(model, head);
        Tab storage t = tab[msg.sender][line];
        t.funded += amount;
        if (t.signer == address(0)) t.signer = signer;
        else if (t.signer != signer) revert NotUser();
        t.closeAt = 0;
        emit TabFunded(msg.sender, line, model, head, amount, signer, t.epoch);
    }

    /// @inheritdoc ILedger
    function close(bytes32 line) external {
        Tab storage t = tab[msg.sender][line];
        if (t.signer == address(0) || t.closeAt != 0) revert WrongTab();
        t.closeAt = uint48(block.timestamp) + CLOSE_DELAY;
        emit TabClosing(msg.sender, line, t.closeAt);
    }

    /// @inheritdoc ILedger
    function finish(address user, bytes32 line) external {
        uint48 closeAt = tab[user][line].closeAt;
        if (closeAt == 0 || block.timestamp < closeAt) revert TooEarly();
        _endTab(user, line);
    }

    /// @inheritdoc ILedger
    function release(address user, bytes32 model, address head, uint32 epoch, uint128 used, bytes32 hr, bytes32 hvs)
        external
    {
        bytes32 line = lineOf(model, head); // from model and head: a line cannot be inverted to find whose signature
        Tab storage t = tab[user][line];
        if (t.signer == address(0) || t.epoch != epoch || t.spent != used) revert WrongTab();
        bytes32 hash = keccak256(abi.encode(RELEASE_TYPEHASH, user, line, epoch, used));
        if (!_signedBy(head, _hashTypedDataV4(hash), hr, hvs)) revert WrongSigner(head);
        _endTab(user, line);
    }

    function _endTab(address user, bytes32 line) internal {
        Tab storage t = tab[user][line];
        uint256 rest = t.funded - t.spent;
        uint32 epoch = t.epoch;
        (t.funded, t.spent) = (0, 0);
        (t.signer, t.epoch, t.closeAt) = (address(0), epoch + 1, 0);
        balanceOf[user] += rest;
        emit TabClosed(user, line, epoch, rest);
    }

    // ---------------------------------------------------------------- batches

    /// @inheritdoc ILedger
    function settleBatch(bytes32 model, address head, Batch calldata b, bytes32 hr, bytes32 hvs) external {
        bytes32 line = lineOf(model, head);
        if (b.seq <= lastSeq[line]) revert WrongSequence();
        _requireAdmitted(model, 0, head);
        if (!_signedBy(head, _batchDigest(line, b), hr, hvs)) revert WrongSigner(head);
        lastSeq[line] = b.seq;
        batchRoot[line][b.seq] = b.root;
        Proof memory p = _acceptWork(model, line, b.work);
        uint256 sum = _charge(line, b.charges, _leastFree(p));
        if (sum != 0) _split(line, head, p, sum, true);
        emit Batched(line, b.seq, b.root, b.count, sum);
    }

    function _acceptWork(bytes32 model, bytes32 line, Work[] calldata work) internal returns (Proof memory p) {
        (,, p.upTo) = registry.terms(model);
        _allocate(p, work.length);
        for (uint256 i; i < work.length; ++i) {
            Work calldata w = work[i];
            p.who[i] = _ordered(p, i, w.slot, w.key);
            Account storage a = account[line][w.key];
            uint256 worked = a.worked;
            Skip why = _judgeWork(model, line, w, worked);
            if (why != Skip.None) {
                emit WorkSkipped(line, w.key, why);
                continue;
            }
            if (w.total > worked) {
                worked = w.total;
                a.worked = uint88(worked); // checked by _judgeWork
            }
            p.free[i] = worked - a.used;
            p.freeOfSlot[w.slot] += p.free[i];
        }
    }

    function _judgeWork(bytes32 model, bytes32 line, Work calldata w, uint256 worked) internal view returns (Skip) {
        if (!registry.isAdmitted(model, w.slot, w.key)) return Skip.NotAdmitted;
        if (w.total <= worked) return Skip.None; // nothing new, so nothing to sign
        if (w.total > type(uint88).max) return Skip.OverTotal;
        bytes32 hash = keccak256(abi.encode(WORK_TYPEHASH, line, w.slot, w.key, w.total));
        return _signedBy(w.key, _hashTypedDataV4(hash), w.r, w.vs) ? Skip.None : Skip.Signature;
    }

    /// What may be charged: the least over the slots from 1 on; without such slots the vouchers alone are the limit.
    function _leastFree(Proof memory p) internal pure returns (uint256 least) {
        least = type(uint256).max;
        for (uint256 s = 1; s < p.freeOfSlot.length; ++s) {
            if (p.freeOfSlot[s] < least) least = p.freeOfSlot[s];
        }
    }

    function _charge(bytes32 line, Charge[] calldata charges, uint256 most) internal returns (uint256 sum) {
        for (uint256 i; i < charges.length; ++i) {
            Charge calldata c = charges[i];
            Tab storage t = tab[c.user][line];
            uint256 spent = t.spent;
            if (c.epoch == t.epoch && c.used == spent) continue; // a repeat
            Skip why = _judgeCharge(line, c, t, spent, most - sum);
            if (why != Skip.None) {
                emit ChargeSkipped(c.user, line, why);
                continue;
            }
            sum += c.used - spent;
            t.spent = c.used;
            emit Charged(c.user, line, c.epoch, c.used);
        }
    }

    function _judgeCharge(bytes32 line, Charge calldata c, Tab storage t, uint256 spent, uint256 most)
        internal
        view
        returns (Skip)
    {
        if (c.epoch != t.epoch) return Skip.Epoch;
        if (c.used < spent) return Skip.Stale;
        if (c.used > c.total) return Skip.OverTotal;
        if (c.used > t.funded) return Skip.OverFunded;
        if (c.used - spent > most) return Skip.NoWork;
        bytes32 hash = keccak256(abi.encode(VOUCHER_TYPEHASH, c.user, line, c.epoch, c.total));
        return _signedBy(t.signer, _hashTypedDataV4(hash), c.r, c.vs) ? Skip.None : Skip.Signature;
    }

    // ---------------------------------------------------------------- split

    /// Over the slots by share, then inside a slot in proportion to the entries' free work, which a batch uses up.
    function _split(bytes32 line, address head, Proof memory p, uint256 sum, bool isBatch) internal {
        _earn(line, head, _slotPay(sum, p.upTo, 0), 0);
        uint256 slot;
        uint256 from;
        uint256 pay;
        for (uint256 i; i < p.who.length; ++i) {
            if (p.free[i] == 0) continue;
            uint256 s = p.who[i] >> 160;
            if (s != slot) (slot, from, pay) = (s, 0, _slotPay(sum, p.upTo, s));
            uint256 to = from + p.free[i];
            uint256 all = p.freeOfSlot[s];
            uint256 used = isBatch ? _prefixPart(sum, from, to, all) : 0; // <= free[i], since sum <= all
            _earn(line, address(uint160(p.who[i])), _prefixPart(pay, from, to, all), used);
            from = to;
        }
    }

    function _slotPay(uint256 sum, uint32[] memory upTo, uint256 slot) internal pure returns (uint256) {
        return _prefixPart(sum, slot == 0 ? 0 : upTo[slot - 1], upTo[slot], upTo[upTo.length - 1]);
    }

    /// The part of `amount` for the range [from, to) of `all`, each bound floored. Ranges that follow one another get
    /// exactly the whole amount. Never amount * (to - from) / all: that loses dust.
    function _prefixPart(uint256 amount, uint256 from, uint256 to, uint256 all) internal pure returns (uint256) {
        return amount * to / all - amount * from / all;
    }

    function _earn(bytes32 line, address key, uint256 amount, uint256 used) internal {
        Account storage a = account[line][key];
        uint256 owed = a.owed + amount;
        if (owed > type(uint80).max) revert OverCharge();
        account[line][key] = Account(a.worked, a.used + uint88(used), uint80(owed)); // used <= worked, so it fits
        emit Earned(line, key, amount);
    }

    // ---------------------------------------------------------------- earnings

    /// @inheritdoc ILedger
    function collect(bytes32 line, address key) external {
        uint256 amount = account[line][key].owed;
        address host = registry.hostOf(key);
        account[line][key].owed = 0;
        balanceOf[host] += amount;
        emit Collected(line, key, host, amount);
    }

    // ---------------------------------------------------------------- proofs

    /// @inheritdoc ILedger
    function verifyReceipt(Receipt calldata r, uint64 seq, bytes32[] calldata proof) external view returns (bool) {
        return MerkleProof.verifyCalldata(proof, batchRoot[r.line][seq], receiptHash(r));
    }

    /// @inheritdoc ILedger
    function lineOf(bytes32 model, address head) public pure returns (bytes32) {
        return keccak256(abi.encode(model, head));
    }

    /// @inheritdoc ILedger
    function queryId(Query calldata q) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(QUERY_TYPEHASH, q)));
    }

    /// @inheritdoc ILedger
    function receiptHash(Receipt calldata r) public pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, r));
    }

    /// @inheritdoc ILedger
    function tokens(address owner, bytes32 model) external view returns (uint256) {
        (, uint64 priceOut, uint32[] memory upTo) = registry.terms(model);
        if (upTo.length == 0) return 0;
        return priceOut == 0 ? type(uint256).max : balanceOf[owner] / priceOut;
    }

    // ---------------------------------------------------------------- helpers

    function _batchDigest(bytes32 line, Batch calldata b) internal view returns (bytes32) {
        bytes32 charges = _hashCharges(b.charges);
        bytes32 work = _hashWork(b.work);
        return _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPEHASH, line, b.seq, b.count, b.root, charges, work)));
    }

    /// The entries' words one after another, as they lie in calldata.
    function _hashCharges(Charge[] calldata c) internal pure returns (bytes32) {
        uint256 start;
        assembly ("memory-safe") {
            start := c.offset
        }
        return _hashCalldata(start, c.length * 6);
    }

    function _hashWork(Work[] calldata w) internal pure returns (bytes32) {
        uint256 start;
        assembly ("memory-safe") {
            start := w.offset
        }
        return _hashCalldata(start, w.length * 5);
    }

    function _hashCalldata(uint256 start, uint256 words) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, start, mul(words, 32))
            hash := keccak256(buffer, mul(words, 32))
        }
    }

    /// Never reverts: a malformed signature is merely not this signer's. It recovers to 0, which is nobody.
    function _signedBy(address signer, bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (bool) {
        (address recovered,,) = ECDSA.tryRecover(digest, r, vs);
        return recovered != address(0) && recovered == signer;
    }

    function _requireAdmitted(bytes32 model, uint8 slot, address key) internal view {
        if (!registry.isAdmitted(model, slot, key)) revert NotAdmitted(key);
    }

    function _allocate(Proof memory p, uint256 entries) internal pure {
        p.who = new uint256[](entries);
        p.free = new uint256[](entries);
        p.freeOfSlot = new uint256[](p.upTo.length);
    }

    /// Strictly rising, so that no entry counts twice; not slot 0, which the head's own signature covers.
    function _ordered(Proof memory p, uint256 i, uint8 slot, address key) internal pure returns (uint256 who) {
        who = (uint256(slot) << 160) | uint160(key);
        if (slot == 0 || slot >= p.upTo.length) revert BadOrder();
        if (i != 0 && who <= p.who[i - 1]) revert BadOrder();
    }
}
