// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {IQuoteVerifier} from "./interfaces/IQuoteVerifier.sol";
import {IRegistry, Model} from "./interfaces/IRegistry.sol";

/// @title Registry
/// @notice The specification is in IRegistry; comments here say only why the body is as it is.
contract Registry is IRegistry {
    /// Packed by use: admission reads the first word, a settlement the second, joining all four.
    struct Info {
        bytes26 family;
        uint32 lease;
        uint64 priceIn;
        uint64 priceOut;
        uint32 timeout;
        address verifier;
        bytes32 manifest;
    }

    /// Admission reads the first word only. All but `until`, `quote` and `url` are fixed for the key's life.
    struct Node {
        bytes26 family;
        uint40 until;
        uint8 slot;
        address host;
        bytes32 quote;
        string url;
    }

    uint256 public constant GRACE = 7 days;
    uint256 internal constant MAX_SLOTS = 64;
    uint256 internal constant MAX_TIMEOUT = 12 hours; // the Ledger lets a query stay open for 1 day at most
    uint256 internal constant MIN_LEASE = 1 hours;
    uint256 internal constant MAX_LEASE = 90 days;

    mapping(bytes32 model => Info) public info;
    mapping(address key => Node) public node;
    mapping(bytes32 model => bytes32[]) internal _weights;
    mapping(bytes32 model => uint32[]) internal _upTo; // prefix sums of the shares, eight to a word
    mapping(bytes26 family => mapping(address host => uint40)) internal _hostUntil;

    // ---------------------------------------------------------------- models

    /// @inheritdoc IRegistry
    function addModel(Model calldata m) external returns (bytes32 id) {
        id = keccak256(abi.encode(m));
        if (info[id].family != 0) revert AlreadyAdded();
        _checkRanges(m);
        (bytes32[] memory weights, uint32[] memory upTo) = _readSlots(m);
        // The lease belongs to the family: else a twin model with a lease of a hundred years would admit its keys here.
        bytes26 family = bytes26(keccak256(abi.encode(m.verifier, m.manifest, m.lease, weights)));
        info[id] = Info(family, m.lease, m.priceIn, m.priceOut, m.timeout, m.verifier, m.manifest);
        _weights[id] = weights;
        _upTo[id] = upTo;
        emit ModelAdded(id, family, m);
    }

    function _checkRanges(Model calldata m) internal pure {
        if (m.slots.length == 0 || m.slots.length > MAX_SLOTS) revert BadModel();
        if (m.verifier == address(0)) revert BadModel();
        if (m.timeout == 0 || m.timeout > MAX_TIMEOUT) revert BadModel();
        if (m.lease < MIN_LEASE || m.lease > MAX_LEASE) revert BadModel();
    }

    function _readSlots(Model calldata m) internal pure returns (bytes32[] memory weights, uint32[] memory upTo) {
        uint256 count = m.slots.length;
        weights = new bytes32[](count);
        upTo = new uint32[](count);
        uint256 total;
        for (uint256 i; i < count; ++i) {
            bytes32 w = m.slots[i].weights;
            uint32 share = m.slots[i].share;
            if (share == 0) revert BadModel();
            for (uint256 j; j < i; ++j) {
                if (weights[j] == w) revert BadModel(); // one quote would fit two slots
            }
            total += share;
            if (total > type(uint32).max) revert BadModel();
            weights[i] = w;
            upTo[i] = uint32(total);
        }
    }

    // ---------------------------------------------------------------- nodes

    /// @inheritdoc IRegistry
    function join(
        bytes32 model,
        uint8 slot,
        address key,
        string calldata url,
        bytes calldata quote,
        uint256 blockNumber
    ) external {
        bytes26 family = info[model].family;
        if (family == 0 || slot >= _weights[model].length) revert UnknownModel();
        _checkQuote(model, _weights[model][slot], key, quote, blockNumber);
        // The verifier is foreign code: nothing is read for a decision before it, and nothing is written.
        Node storage n = node[key];
        if (n.host != address(0)) {
            if (n.host != msg.sender || n.family != family || n.slot != slot) revert KeyTaken();
        }
        uint40 until = uint40(block.timestamp) + info[model].lease;
        (n.family, n.until, n.slot) = (family, until, slot);
        (n.host, n.quote) = (msg.sender, keccak256(quote));
        n.url = url;
        _hostUntil[family][msg.sender] = until;
        emit NodeJoined(key, msg.sender, family, slot, model, n.quote, url, until);
    }

    function _checkQuote(bytes32 model, bytes32 weights, address key, bytes calldata quote, uint256 blockNumber)
        internal
    {
        bytes32 recent = blockhash(blockNumber);
        if (recent == 0) revert StaleBlock(); // old evidence renews nothing
        bytes32 reportData = IQuoteVerifier(info[model].verifier).verify(quote, info[model].manifest);
        bytes32 expected = keccak256(abi.encode(block.chainid, this, msg.sender, key, weights, recent));
        if (reportData != expected) revert WrongReportData();
    }

    /// @inheritdoc IRegistry
    function setUrl(address key, string calldata url) external {
        if (node[key].host != msg.sender) revert NotHost();
        node[key].url = url;
        emit UrlSet(key, url);
    }

    /// @inheritdoc IRegistry
    function leave(address key, address other) external {
        Node storage n = node[key];
        if (n.host != msg.sender) revert NotHost();
        uint40 ended = uint40(block.timestamp) - 1;
        if (n.until > ended) n.until = ended;
        Node storage o = node[other];
        bool carriesOn = o.host == msg.sender && o.family == n.family;
        _hostUntil[n.family][msg.sender] = carriesOn ? o.until : n.until;
        emit NodeLeft(key);
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IRegistry
    function isLive(bytes32 model, uint8 slot, address key) external view returns (bool) {
        return _admitted(model, slot, key, 0);
    }

    /// @inheritdoc IRegistry
    function isAdmitted(bytes32 model, uint8 slot, address key) external view returns (bool) {
        return _admitted(model, slot, key, GRACE);
    }

    function _admitted(bytes32 model, uint8 slot, address key, uint256 grace) internal view returns (bool) {
        Node storage n = node[key];
        bytes26 family = info[model].family;
        return family != 0 && n.family == family && n.slot == slot && n.until + grace >= block.timestamp;
    }

    /// @inheritdoc IRegistry
    function hostOf(address key) external view returns (address) {
        return node[key].host;
    }

    /// @inheritdoc IRegistry
    function hostUntil(bytes32 model, address host) external view returns (uint40) {
        return _hostUntil[info[model].family][host];
    }

    /// @inheritdoc IRegistry
    function timeoutOf(bytes32 model) external view returns (uint32) {
        return info[model].timeout;
    }

    /// @inheritdoc IRegistry
    function terms(bytes32 model) external view returns (uint64 priceIn, uint64 priceOut, uint32[] memory upTo) {
        Info storage i = info[model];
        return (i.priceIn, i.priceOut, _upTo[model]);
    }
}
