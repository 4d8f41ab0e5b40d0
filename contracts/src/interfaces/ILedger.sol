// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {IRegistry} from "./IRegistry.sol";

/// @notice Strict mode: one question, paid for by itself. Its id is its EIP-712 digest.
struct Query {
    address user; // pays, and gets back what is left
    bytes32 model;
    address head; // the only key whose receipt counts
    bytes32 input; // HMAC of the prompt
    uint128 maxCost; // wei set aside; 0: a host's free query
    uint64 deadline; // seconds since 1970; refundable after it
    uint64 nonce; // any number that makes the query unique
}

/// @notice What the head says that it did. In tab mode `query` is keccak256(abi.encode(line, requestId)).
struct Receipt {
    bytes32 query;
    bytes32 line;
    bytes32 input;
    bytes32 output; // HMAC of the answer
    uint32 tokensIn;
    uint32 tokensOut;
    uint128 cost; // wei
    bytes32 transcript; // binds what the stages computed
}

/// @notice One key's share of one strict query, cumulative within the query, signed by that key.
struct Part {
    address key;
    uint8 slot; // 1 or above
    uint32 tokensIn;
    uint32 tokensOut;
    bytes32 r;
    bytes32 vs;
}

/// @notice Wei, at the model's full prices, of all tab tokens that a key processed on a line since its birth; signed
/// by that key.
struct Work {
    address key;
    uint8 slot; // 1 or above
    uint128 total;
    bytes32 r;
    bytes32 vs;
}

/// @notice A user's voucher for `total` wei, and how much of it the head says is used. Both count since the tab's epoch
/// began. The signature is the voucher's: it covers `total`, not `used`.
struct Charge {
    address user;
    uint32 epoch;
    uint128 used;
    uint128 total;
    bytes32 r;
    bytes32 vs;
}

/// @notice What a head settles at once on its line, signed by the head.
struct Batch {
    uint64 seq;
    uint32 count; // leaves under `root`; for information
    bytes32 root; // Merkle root of receipts
    Charge[] charges; // taken in this order
    Work[] work; // strictly ascending by (slot, key); never slot 0
}

/// @notice A user's prepaid account with one line.
struct Tab {
    uint128 funded; // wei, in this epoch
    uint128 spent; // wei of it that was charged; never above `funded`
    address signer; // whose vouchers count; 0: there is no tab
    uint32 epoch; // raised when the tab ends, which voids everything signed for it
    uint48 closeAt; // seconds since 1970, when it may be finished; 0: nobody closes it
}

/// @notice What a key has on a line. One word.
struct Account {
    uint88 worked; // wei proved and accepted
    uint88 used; // wei of these that charges have used up; never above `worked`
    uint80 owed; // wei earned and not collected
}

/// @notice Why a charge or an entry of work was passed over; the first reason that fits.
enum Skip {
    None,
    Epoch, // charge: not the tab's epoch
    Stale, // charge: less than what is spent already
    OverTotal, // charge: beyond its voucher; work: 2^88 or more
    OverFunded, // charge: beyond the tab
    NoWork, // charge: beyond what the slots have proved
    Signature, // not the signer's, or malformed
    NotAdmitted // work: the key is not admitted for the slot
}

/// @title All the money
/// @notice Holds every wei: users' credits, open queries, tabs and hosts' earnings. No owner, no upgrade, no pause, no
/// receive: plain transfers revert, and money leaves by `withdraw` only.
///
/// Words. A *line* is keccak256(abi.encode(model, head)): what one head serves of one model. The *head* is the one key
/// of slot 0 of a line. A *stage* is a key of a later slot. *Strict mode* is one query, one settlement. *Tab mode* is a
/// prepaid tab, vouchers off chain, and batches.
///
/// Who can do what. A user's money moves by their own transaction or signature only: `maxCost` of a query, the
/// vouchers' total of a tab. A head can charge no more than that, and no more than what every other slot has proved;
/// so a head with a broken TEE needs the work of honest stages for each wei. A relayer can change nothing: it may send
/// what others signed, or not. Everyone can get everything back within a day and CLOSE_DELAY without anybody's help.
///
/// Assumptions. (1) The Registry is the right one: it decides whose signatures count, and who is paid. (2) Work proves
/// that tokens were computed, not that a user asked for them; so clients keep their voucher close to what they used.
/// (3) Heads try a batch with `eth_call` before they send it. At most about 500 tabs fit a transaction.
///
/// Signatures are EIP-712 in the domain {name "TeeTee", version "1", chainId, verifyingContract: this}, in the compact
/// form of EIP-2098. docs/formats/typed-data.md has all types with examples.
interface ILedger {
    // ---------------------------------------------------------------- events

    event Bought(address indexed payer, address indexed user, uint256 amount);
    event Withdrawn(address indexed user, address indexed to, uint256 amount);
    event Opened(bytes32 indexed query, address indexed user, bytes32 indexed model, Query q);
    event Served(bytes32 indexed query, bytes32 indexed line, bytes32 receipt, Receipt r);
    event Refunded(bytes32 indexed query, uint256 amount);
    event TabFunded(
        address indexed user,
        bytes32 indexed line,
        bytes32 model,
        address head,
        uint256 amount,
        address signer,
        uint32 epoch
    );
    event TabClosing(address indexed user, bytes32 indexed line, uint48 closeAt);
    event TabClosed(address indexed user, bytes32 indexed line, uint32 epoch, uint256 rest);
    event Charged(address indexed user, bytes32 indexed line, uint32 epoch, uint128 spent);
    event ChargeSkipped(address indexed user, bytes32 indexed line, Skip why);
    event WorkSkipped(bytes32 indexed line, address indexed key, Skip why);
    event Batched(bytes32 indexed line, uint64 indexed seq, bytes32 root, uint32 count, uint256 amount);
    event Earned(bytes32 indexed line, address indexed key, uint256 amount);
    event Collected(bytes32 indexed line, address indexed key, address indexed host, uint256 amount);

    // ---------------------------------------------------------------- errors

    /// @dev The sender may not do this in the user's name, or the tab's signer is 0 or not this one, or a query without
    /// pay is not a host's.
    error NotUser();
    /// @dev Unknown model, head 0, or a deadline outside of what is allowed.
    error BadQuery();
    /// @dev The query is not open: never was, or has been settled or refunded, or (when opening) has been opened
    /// before.
    error NotOpen();
    /// @dev The deadline, or the delay of closing, is not over; or nobody has closed the tab.
    error TooEarly();
    /// @dev The receipt is for another query, line or input, or its cost is not that of its tokens.
    error WrongReceipt();
    /// @dev The signature is not that of `expected`, or malformed.
    error WrongSigner(address expected);
    /// @dev The key is not admitted for its slot, not even within the grace.
    error NotAdmitted(address key);
    /// @dev The parts of this slot cover less than the receipt's tokens.
    error NotCovered(uint256 slot);
    /// @dev Parts or work name slot 0 or a slot that is not there, or do not rise strictly by (slot, key).
    error BadOrder();
    /// @dev The receipt costs more than the query's maxCost, or a key is owed more than 80 bits hold: collect first.
    error OverCharge();
    /// @dev The line has a batch of this number or a higher one.
    error WrongSequence();
    /// @dev No tab, or it is closing already, or its epoch or sum is another.
    error WrongTab();
    /// @dev The receiver refused the ether.
    error TransferFailed();

    // ---------------------------------------------------------------- credits

    /// @notice Adds the ether sent to somebody's balance.
    function buy(address to) external payable;

    /// @notice Pays out of the sender's balance. Reverts if that is too small.
    function withdraw(uint256 amount, address payable to) external;

    // ---------------------------------------------------------------- strict mode

    /// @notice Sets `maxCost` aside for a query. The sender is the user.
    /// @dev The head is not checked: a wrong one costs the user nothing but time until the deadline. The deadline must
    /// be at least the model's timeout and at most 1 day from now. `maxCost` 0 is for hosts of the model's family.
    function open(Query calldata q) external returns (bytes32 id);

    /// @notice The same, sent by anyone with the user's signature of the query.
    function openSigned(Query calldata q, bytes32 r, bytes32 vs) external returns (bytes32 id);

    /// @notice Pays for an answered query and records its receipt for ever. Anyone may send it.
    /// @dev Possible until somebody refunds, also after the deadline: the first of the two wins. The receipt's cost
    /// must be exactly `tokensIn * priceIn + tokensOut * priceOut`, or 0 if maxCost is 0. Each slot from 1 on must be
    /// covered: the sums of tokensIn and of tokensOut over its parts must each reach the receipt's (more is no harm:
    /// checkpoints of two dead nodes need not line up). A receipt of 0 tokens needs no parts: so a head cancels.
    /// @param r The receipt; the head's signature of it (hr, hvs) is the head's own part.
    /// @param parts Strictly ascending by (slot, key), none of slot 0.
    function settle(Query calldata q, Receipt calldata r, Part[] calldata parts, bytes32 hr, bytes32 hvs) external;

    /// @notice Gives `maxCost` back once the deadline is over. Anyone may send it.
    function refund(Query calldata q) external;

    // ---------------------------------------------------------------- tabs

    /// @notice Opens or tops up the sender's tab with a line, out of the sender's balance. Cancels a closing.
    /// @param signer Whose vouchers count. Fixed for the epoch: else a new signer would void vouchers not yet settled.
    function fund(bytes32 model, address head, uint128 amount, address signer) external;

    /// @notice Announces the end of the sender's tab. Charges go on until it is finished.
    function close(bytes32 line) external;

    /// @notice Ends a tab CLOSE_DELAY after `close`: the rest goes to its user. Anyone may send it.
    function finish(address user, bytes32 line) external;

    /// @notice Ends a tab at once, because the head says that nothing but what is charged was used. Anyone may send it.
    /// @dev `used` must be exactly what is spent: a release from before later charges is dead. The head need not be
    /// admitted any more, since this only helps the user. A head that signed a release serves that epoch no more.
    function release(address user, bytes32 model, address head, uint32 epoch, uint128 used, bytes32 hr, bytes32 hvs)
        external;

    /// @notice Charges tabs for work that every slot has proved, and pays the keys. Anyone may send it.
    /// @dev Reverts only for the head's own faults (sequence, admission, signature, order) and when a key is owed more
    /// than 80 bits hold; whatever is wrong with a user's charge or a stage's work is passed over with an event.
    ///
    /// Work: a total above the known one needs the key's signature and replaces it; an older total needs none and adds
    /// nothing. What a listed key has proved and not yet been paid for may be charged now; the least such sum over the
    /// slots from 1 on limits the batch. Unlisted keys count nothing in this batch, and lose nothing.
    ///
    /// Charges: in order, each wholly or not at all. A charge of exactly what is spent is a repeat, passed over in
    /// silence.
    ///
    /// Pay: by the slots' shares, and inside a slot in proportion to the free work of its entries. All roundings are
    /// differences of floored prefix sums: no wei is made or lost.
    function settleBatch(bytes32 model, address head, Batch calldata b, bytes32 hr, bytes32 hvs) external;

    // ---------------------------------------------------------------- earnings

    /// @notice Moves what a key is owed to its host's balance. Anyone may send it, at any time.
    function collect(bytes32 line, address key) external;

    // ---------------------------------------------------------------- proofs

    /// @notice Whether the receipt is a leaf of the line's batch `seq`. A wrong proof is false, not a revert.
    function verifyReceipt(Receipt calldata r, uint64 seq, bytes32[] calldata proof) external view returns (bool);

    function lineOf(bytes32 model, address head) external pure returns (bytes32);

    /// @notice The query's EIP-712 digest: its id, and what a user signs for `openSigned`.
    function queryId(Query calldata q) external view returns (bytes32);

    /// @notice hashStruct of the receipt: the leaf of a batch's tree, and the record of a strict query.
    function receiptHash(Receipt calldata r) external pure returns (bytes32);

    // ---------------------------------------------------------------- reading

    function registry() external view returns (IRegistry);

    /// @notice Seconds between `close` and `finish`.
    function CLOSE_DELAY() external view returns (uint48);

    /// @notice Spendable and withdrawable wei, of users and hosts alike.
    function balanceOf(address owner) external view returns (uint256);

    /// @notice How many generated tokens of the model the balance pays for; for display. 0 for an unknown model, the
    /// largest number for one that is free.
    function tokens(address owner, bytes32 model) external view returns (uint256);

    /// @notice 0: unknown; 1: open; 2: refunded; else the receipt's hash, for ever.
    function record(bytes32 query) external view returns (bytes32);

    function tab(address user, bytes32 line)
        external
        view
        returns (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 closeAt);

    function account(bytes32 line, address key) external view returns (uint88 worked, uint88 used, uint80 owed);

    /// @notice Number of the line's latest batch. Gaps are allowed.
    function lastSeq(bytes32 line) external view returns (uint64);

    function batchRoot(bytes32 line, uint64 seq) external view returns (bytes32);
}
