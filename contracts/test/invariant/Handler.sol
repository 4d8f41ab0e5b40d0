// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Ledger} from "../../src/Ledger.sol";
import {Batch, Charge, Part, Query, Receipt, Work} from "../../src/interfaces/ILedger.sol";
import {Setup} from "../Setup.sol";

/// forge calls the actions in random order and checks the invariants after each. The handler keeps its own books of
/// what every key really did and what every user really signed, and also tries what must never work.
///
/// Four users; one line of three slots. Keys 1 and 2 hold slot 1, keys 3 and 4 slot 2; host 1 has a key in both.
contract Handler is Setup {
    struct Seen {
        uint256 worked;
        uint256 used;
    }

    uint256 internal constant USERS = 4;
    uint256 internal constant KEYS = 5;

    uint256[KEYS] internal keys;
    uint256[KEYS] internal slotOf = [uint256(0), 1, 1, 2, 2];
    address[KEYS] internal hostOf = [hostAt(0), hostAt(1), hostAt(8), hostAt(2), hostAt(1)];
    address[] internal owners; // all who can have a balance

    // The handler's books.
    uint256 public bought;
    uint256 public withdrawn;
    uint256 public inQueries; // maxCost of the open ones
    uint256 public charged; // on the line, ever
    mapping(uint256 k => uint128) public did; // wei of tokens that a key's TEE counted on the line
    mapping(address => mapping(uint32 epoch => uint256)) internal signedFor; // the largest voucher
    Query[] internal queries;
    mapping(bytes32 query => bytes32) internal finalRecord;
    uint64 internal nonce;
    uint64 internal seq;
    Batch internal lastBatch;

    // What was seen last, to check that it never falls.
    mapping(uint256 k => Seen) internal seen;
    mapping(address => uint32) internal seenEpoch;
    mapping(address => uint256) internal balanceBefore;

    constructor() {
        setUpLine(3);
        keys = [pk(0), pk(1), pk(1) + REPLICA, pk(2), pk(2) + REPLICA];
        join(model, 1, keys[2], hostOf[2]);
        join(model, 2, keys[4], hostOf[4]);
        for (uint256 i; i < USERS; ++i) {
            owners.push(userAt(i));
        }
        for (uint256 k; k < 4; ++k) {
            owners.push(hostOf[k]);
        }
    }

    /// Nobody's balance falls, except that of `actor`, who sends or has signed.
    modifier by(address actor) {
        for (uint256 i; i < owners.length; ++i) {
            balanceBefore[owners[i]] = ledger.balanceOf(owners[i]);
        }
        _;
        for (uint256 i; i < owners.length; ++i) {
            bool mayFall = owners[i] == actor;
            require(mayFall || ledger.balanceOf(owners[i]) >= balanceBefore[owners[i]], "I6: a balance fell");
        }
    }

    function userKey(uint256 i) internal pure returns (uint256) {
        return 0xA1 + i % USERS;
    }

    function userAt(uint256 i) internal pure returns (address) {
        return vm.addr(userKey(i));
    }

    function theLedger() external view returns (Ledger) {
        return ledger;
    }

    function renewLeases() internal {
        for (uint256 k; k < KEYS; ++k) {
            join(model, slotOf[k], keys[k], hostOf[k]);
        }
    }

    // ---------------------------------------------------------------- credits

    function buy(uint256 i, uint256 amount) external by(address(0)) {
        amount = bound(amount, 0, 10 ether);
        give(userAt(i), amount);
        bought += amount;
    }

    function withdraw(uint256 i, uint256 amount) external by(owners[i % owners.length]) {
        address owner = owners[i % owners.length];
        amount = bound(amount, 0, ledger.balanceOf(owner));
        vm.prank(owner);
        ledger.withdraw(amount, payable(address(0xCA54)));
        withdrawn += amount;
    }

    function collect(uint256 k) external by(address(0)) {
        ledger.collect(line, vm.addr(keys[k % KEYS]));
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 30 hours));
        renewLeases();
    }

    // ---------------------------------------------------------------- strict mode

    function openQuery(uint256 i, uint128 maxCost) external by(userAt(i)) {
        uint256 balance = ledger.balanceOf(userAt(i));
        if (balance == 0) return;
        Query memory q = query(nonce++, uint128(bound(maxCost, 1, balance)));
        q.user = userAt(i);
        open(q);
        queries.push(q);
        inQueries += q.maxCost;
    }

    /// Slot 1 is covered by two keys.
    function settleQuery(uint256 i, uint32 tokensOut, uint32 cut) external by(address(0)) {
        if (queries.length == 0) return;
        Query memory q = queries[i % queries.length];
        if (finalRecord[idOf(q)] != 0) return;
        uint256 most = q.maxCost / PRICE_OUT;
        tokensOut = uint32(bound(tokensOut, 0, most > 1e6 ? 1e6 : most));
        cut = uint32(bound(cut, 0, tokensOut));
        Receipt memory r = receipt(q, 0, tokensOut);
        Part[] memory p = new Part[](3);
        (p[0], p[1]) = ordered(part(r.query, 1, keys[1], 0, cut), part(r.query, 1, keys[2], 0, tokensOut - cut));
        p[2] = part(r.query, 2, keys[3], 0, tokensOut);
        settle(q, r, p);
        inQueries -= q.maxCost;
        finalRecord[r.query] = hashOf(r);
    }

    function refundQuery(uint256 i) external by(address(0)) {
        if (queries.length == 0) return;
        Query memory q = queries[i % queries.length];
        if (finalRecord[idOf(q)] != 0 || block.timestamp <= q.deadline) return;
        ledger.refund(q);
        inQueries -= q.maxCost;
        finalRecord[idOf(q)] = bytes32(uint256(2));
    }

    // ---------------------------------------------------------------- tabs

    function fundTab(uint256 i, uint128 amount) external by(userAt(i)) {
        uint256 balance = ledger.balanceOf(userAt(i));
        if (balance != 0) fund(userAt(i), uint128(bound(amount, 1, balance)), userAt(i));
    }

    /// Tokens worth `amount` pass every slot; replicas do a part of them.
    function serve(uint128 amount, uint128 cut) public {
        amount = uint128(bound(amount, 0, 0.2 ether));
        cut = uint128(bound(cut, 0, amount));
        did[1] += cut;
        did[2] += amount - cut;
        did[3] += amount - cut / 2;
        did[4] += cut / 2;
    }

    /// Charges up to 3 tabs with whatever entries `mask` lets in: the contract must take no more than is proved.
    function settleTabs(uint256 i, uint128 used, uint8 count, uint8 mask, uint128 slack) external by(address(0)) {
        Charge[] memory c = new Charge[](count % 4);
        for (uint256 j; j < c.length; ++j) {
            uint256 random = uint256(keccak256(abi.encode(used, j)));
            c[j] = wildCharge(i % USERS + j, random, bound(slack, 0, 1 ether), count > 250, mask > 240);
        }
        seq += count / 64; // gaps
        sendAndCount(c, entries(mask));
    }

    function wildCharge(uint256 i, uint256 random, uint256 slack, bool otherEpoch, bool tooMuch)
        internal
        returns (Charge memory)
    {
        (uint128 funded, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i), line);
        uint128 used = wanted(random, spent, funded);
        uint128 total = tooMuch && used > 0 ? used - 1 : used + uint128(slack);
        return signedCharge(i, otherEpoch ? epoch + 1 : epoch, used, total);
    }

    /// Anything from below what is spent to beyond the tab, or something close to what is proved and unpaid.
    function wanted(uint256 random, uint128 spent, uint128 funded) internal view returns (uint128) {
        if (random % 3 == 0) return uint128(bound(random, spent / 2, funded + funded / 8));
        uint256 x = spent + bound(random >> 8, 0, spare());
        return uint128(x > funded ? funded : x);
    }

    /// What every slot has done and was not yet paid for.
    function spare() internal view returns (uint256 least) {
        (uint256 one_, uint256 two) = (spareOf(1) + spareOf(2), spareOf(3) + spareOf(4));
        return one_ < two ? one_ : two;
    }

    function spareOf(uint256 k) internal view returns (uint256) {
        (, uint256 used) = workOf(keys[k]);
        return did[k] - used;
    }

    function signedCharge(uint256 i, uint32 epoch, uint128 used, uint128 total) internal returns (Charge memory) {
        if (total > signedFor[userAt(i)][epoch]) signedFor[userAt(i)][epoch] = total;
        return charge(userKey(i), userAt(i), epoch, used, total);
    }

    uint8 internal constant ALL = 30; // keys 1 to 4

    /// The true totals of the keys in the mask, in order of (slot, key).
    function entries(uint8 mask) internal view returns (Work[] memory w) {
        if (mask % 2 == 0) mask = ALL;
        uint256 n;
        for (uint256 k = 1; k < KEYS; ++k) {
            if (mask >> k & 1 == 1) ++n;
        }
        w = new Work[](n);
        n = 0;
        for (uint256 s = 1; s < 3; ++s) {
            (uint256 a, uint256 b) = (2 * s - 1, 2 * s);
            if (vm.addr(keys[a]) > vm.addr(keys[b])) (a, b) = (b, a);
            if (mask >> a & 1 == 1) w[n++] = work(s, keys[a], did[a]);
            if (mask >> b & 1 == 1) w[n++] = work(s, keys[b], did[b]);
        }
    }

    /// Sends the next batch and counts what it took; keeps it for replays.
    function sendAndCount(Charge[] memory c, Work[] memory w) internal returns (uint256 taken) {
        Batch memory b = batch(++seq, c, w);
        uint256 before = allSpent();
        send(b);
        taken = allSpent() - before;
        charged += taken;
        delete lastBatch;
        (lastBatch.seq, lastBatch.count, lastBatch.root) = (b.seq, b.count, b.root);
        for (uint256 i; i < c.length; ++i) {
            lastBatch.charges.push(c[i]);
        }
        for (uint256 i; i < w.length; ++i) {
            lastBatch.work.push(w[i]);
        }
    }

    function allSpent() internal view returns (uint256 sum) {
        for (uint256 i; i < USERS; ++i) {
            sum += spentOf(userAt(i));
        }
    }

    /// A tab's whole life, ended by the head, and then its stale voucher.
    function wholeLife(uint256 i, uint128 amount) external by(userAt(i)) {
        uint256 balance = ledger.balanceOf(userAt(i));
        (uint128 funded,,, uint32 epoch,) = ledger.tab(userAt(i), line);
        if (balance == 0 || funded != 0) return;
        amount = uint128(bound(amount, 1, balance > 0.4 ether ? 0.4 ether : balance));
        fund(userAt(i), amount, userAt(i));
        serve(amount / 2, amount / 6);
        Charge[] memory c = one(signedCharge(i, epoch, amount / 2, amount));
        sendAndCount(c, entries(ALL));
        require(spentOf(userAt(i)) == amount / 2, "covered work was not taken");
        (bytes32 r, bytes32 vs) = signRelease(userAt(i), epoch, amount / 2);
        ledger.release(userAt(i), model, head, epoch, amount / 2, r, vs);
        require(spentOf(userAt(i)) == 0, "still open");
        sendAndCount(c, entries(ALL));
        require(spentOf(userAt(i)) == 0, "stale voucher was taken");
    }

    function closeAndFinish(uint256 i) external by(address(0)) {
        (,, address signer,, uint48 closeAt) = ledger.tab(userAt(i), line);
        if (signer == address(0)) return;
        if (closeAt == 0) {
            vm.prank(userAt(i));
            ledger.close(line);
        }
        vm.warp(block.timestamp + 1 days);
        ledger.finish(userAt(i), line);
        renewLeases();
    }

    // ---------------------------------------------------------------- what must never work

    function tryRefundAgain(uint256 i) external by(address(0)) {
        if (queries.length == 0) return;
        Query memory q = queries[i % queries.length];
        if (finalRecord[idOf(q)] == 0) return;
        if (block.timestamp <= q.deadline) vm.warp(q.deadline + 1);
        try ledger.refund(q) {
            revert("refunded twice");
        } catch {}
    }

    function trySettleAgain(uint256 i) external by(address(0)) {
        if (queries.length == 0) return;
        Query memory q = queries[i % queries.length];
        if (finalRecord[idOf(q)] == 0) return;
        Receipt memory r = receipt(q, 0, 0);
        (bytes32 hr, bytes32 hvs) = headSign(r);
        try ledger.settle(q, r, new Part[](0), hr, hvs) {
            revert("settled twice");
        } catch {}
    }

    function tryReplay() external by(address(0)) {
        if (lastBatch.seq == 0) return;
        (bytes32 r, bytes32 vs) = signBatch(pk(0), lastBatch);
        try ledger.settleBatch(model, head, lastBatch, r, vs) {
            revert("replayed");
        } catch {}
    }

    /// The same charges and work under a new number.
    function repeatBatch() external by(address(0)) {
        if (lastBatch.seq == 0) return;
        Batch memory b = lastBatch;
        sendAndCount(b.charges, b.work);
    }

    function tryWithoutWorkOfSlot2(uint256 i) external by(address(0)) {
        (uint128 funded, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i), line);
        if (funded == spent) return;
        Charge[] memory c = one(signedCharge(i, epoch, funded, funded));
        require(sendAndCount(c, oneWork(work(1, keys[1], did[1]))) == 0, "charged without work of slot 2");
    }

    /// Totals that no TEE signed.
    function tryForgedWork(uint256 i, uint128 total) external by(address(0)) {
        (uint128 funded, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i), line);
        if (funded == spent) return;
        Work[] memory w = entries(ALL);
        for (uint256 j; j < w.length; ++j) {
            w[j].r = work(w[j].slot, 0xBAD, total).r;
            w[j].vs = bytes32(uint256(total));
            w[j].total = type(uint88).max;
        }
        Charge[] memory c = one(signedCharge(i, epoch, funded, funded));
        require(sendAndCount(c, w) == 0, "charged for forged work");
    }

    /// Two users charged for the same work in one batch.
    function tryTwoForOne(uint256 i) external by(address(0)) {
        i %= USERS;
        serve(0.01 ether, 0.005 ether);
        uint256 proved = spare();
        if (proved > 1 ether) return;
        Charge[] memory c = new Charge[](2);
        for (uint256 j; j < 2; ++j) {
            give(userAt(i + j), 1 ether);
            bought += 1 ether;
            fund(userAt(i + j), 1 ether, userAt(i + j));
            (, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i + j), line);
            c[j] = signedCharge(i + j, epoch, uint128(spent + proved), uint128(spent + proved));
        }
        require(sendAndCount(c, entries(ALL)) == proved, "not what is proved");
    }

    /// Every kind of bad charge and bad work around one good charge: the good one is taken.
    function poisonedBatch(uint256 i, bytes32 noise) external by(address(0)) {
        give(userAt(i), 1 ether);
        bought += 1 ether;
        fund(userAt(i), 1 ether, userAt(i));
        serve(0.01 ether, uint128(uint256(noise)));
        (uint128 funded, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i), line);
        Charge[] memory c = new Charge[](6);
        c[0] = charge(userKey(i), userAt(i), epoch + 1, spent + 1, spent + 1);
        c[1] = charge(userKey(i), userAt(i), epoch, funded + 1, funded + 1);
        c[2] = charge(userKey(i), userAt(i), epoch, spent + 2, spent + 1);
        c[3] = charge(0xBAD, vm.addr(0xBAD), 0, 1, 1);
        c[4] = Charge(userAt(i), epoch, spent + 1, spent + 1, noise, MALFORMED);
        c[5] = signedCharge(i, epoch, spent + 0.01 ether, spent + 0.01 ether);
        require(sendAndCount(c, withBadEntries(noise)) == 0.01 ether, "I9: the good charge was not taken");
    }

    /// All true entries of slots 1 and 2, and in both slots a stranger, a key of the other slot and a malformed
    /// signature.
    function withBadEntries(bytes32 noise) internal view returns (Work[] memory w) {
        w = new Work[](8);
        for (uint256 s = 1; s < 3; ++s) {
            (uint256 first, uint256 other) = (2 * s - 1, s == 1 ? 3 : 1);
            Work[4] memory four = [
                work(s, keys[first], did[first]),
                work(s, keys[first + 1], did[first + 1]),
                Work(vm.addr(0xBAD), uint8(s), type(uint128).max, noise, MALFORMED),
                work(s, keys[other], type(uint88).max)
            ];
            for (uint256 a; a < 4; ++a) {
                for (uint256 b; b + 1 < 4; ++b) {
                    if (four[b].key > four[b + 1].key) (four[b], four[b + 1]) = (four[b + 1], four[b]);
                }
            }
            for (uint256 a; a < 4; ++a) {
                w[4 * (s - 1) + a] = four[a];
            }
        }
    }

    function tryOverdraw(uint256 i) external by(address(0)) {
        uint256 tooMuch = ledger.balanceOf(userAt(i)) + 1;
        vm.prank(userAt(i));
        try ledger.withdraw(tooMuch, payable(userAt(i))) {
            revert("overdrawn");
        } catch {}
    }

    function tryFinishEarly(uint256 i) external by(address(0)) {
        (,,,, uint48 closeAt) = ledger.tab(userAt(i), line);
        if (closeAt != 0 && block.timestamp >= closeAt) return;
        try ledger.finish(userAt(i), line) {
            revert("finished early");
        } catch {}
    }

    // ---------------------------------------------------------------- what the invariants ask

    function liabilities() external view returns (uint256 sum) {
        for (uint256 i; i < owners.length; ++i) {
            sum += ledger.balanceOf(owners[i]);
        }
        for (uint256 k; k < KEYS; ++k) {
            sum += owedTo(keys[k]);
        }
        for (uint256 i; i < USERS; ++i) {
            (uint128 funded, uint128 spent,,,) = ledger.tab(userAt(i), line);
            sum += funded - spent;
        }
        sum += inQueries;
    }

    function checkTabs() external {
        for (uint256 i; i < USERS; ++i) {
            (uint128 funded, uint128 spent,, uint32 epoch,) = ledger.tab(userAt(i), line);
            require(spent <= funded, "I3: spent > funded");
            require(spent <= signedFor[userAt(i)][epoch], "I6: spent more than was signed for");
            require(epoch >= seenEpoch[userAt(i)], "I5: an epoch fell");
            seenEpoch[userAt(i)] = epoch;
        }
    }

    function checkWork() external {
        for (uint256 s = 1; s < 3; ++s) {
            uint256 usedSum;
            for (uint256 k = 2 * s - 1; k <= 2 * s; ++k) {
                (uint256 worked, uint256 used) = workOf(keys[k]);
                require(used <= worked, "I3: used > worked");
                require(worked <= did[k], "I3: worked more than the TEE signed");
                require(worked >= seen[k].worked && used >= seen[k].used, "I5: worked or used fell");
                seen[k] = Seen(worked, used);
                usedSum += used;
            }
            require(usedSum == charged, "I4: a slot's used work is not what was charged");
        }
    }

    function checkRecords() external view {
        require(ledger.lastSeq(line) == seq, "I5: sequence");
        for (uint256 i; i < queries.length; ++i) {
            bytes32 id = idOf(queries[i]);
            bytes32 expected = finalRecord[id] == 0 ? bytes32(uint256(1)) : finalRecord[id];
            require(ledger.record(id) == expected, "I5: a record changed");
        }
    }

    /// I7: users need nobody's help and CLOSE_DELAY + 1 day. I8: what hosts are owed outlives their leases.
    function everybodyLeaves() external {
        for (uint256 i; i < USERS; ++i) {
            (,, address signer,, uint48 closeAt) = ledger.tab(userAt(i), line);
            if (signer == address(0) || closeAt != 0) continue;
            vm.prank(userAt(i));
            ledger.close(line);
        }
        vm.warp(block.timestamp + 2 days);
        for (uint256 i; i < queries.length; ++i) {
            if (finalRecord[idOf(queries[i])] == 0) ledger.refund(queries[i]);
        }
        for (uint256 i; i < USERS; ++i) {
            (,, address signer,,) = ledger.tab(userAt(i), line);
            if (signer != address(0)) ledger.finish(userAt(i), line);
        }
        vm.warp(block.timestamp + 365 days);
        for (uint256 k; k < KEYS; ++k) {
            ledger.collect(line, vm.addr(keys[k]));
        }
        for (uint256 i; i < owners.length; ++i) {
            uint256 all = ledger.balanceOf(owners[i]);
            vm.prank(owners[i]);
            ledger.withdraw(all, payable(address(0xCA54)));
        }
    }
}
