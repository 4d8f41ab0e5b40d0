// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

import {Handler} from "./Handler.sol";

/// The invariants of docs/design/0002-contracts.md; I6 and I9 are checked inside the handler's actions.
contract LedgerInvariantTest {
    bytes4[] internal selectors;
    Handler internal handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = new Handler();
        selectors = [
            handler.buy.selector,
            handler.withdraw.selector,
            handler.collect.selector,
            handler.pass.selector,
            handler.openQuery.selector,
            handler.settleQuery.selector,
            handler.refundQuery.selector,
            handler.fundTab.selector,
            handler.serve.selector,
            handler.settleTabs.selector,
            handler.wholeLife.selector,
            handler.closeAndFinish.selector,
            handler.tryRefundAgain.selector,
            handler.trySettleAgain.selector,
            handler.tryReplay.selector,
            handler.repeatBatch.selector,
            handler.tryWithoutWorkOfSlot2.selector,
            handler.tryForgedWork.selector,
            handler.tryTwoForOne.selector,
            handler.poisonedBatch.selector,
            handler.tryOverdraw.selector,
            handler.tryFinishEarly.selector
        ];
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// One function, so that one campaign serves them all.
    function invariant_all() public {
        uint256 held = address(handler.theLedger()).balance;
        require(handler.liabilities() == held, "I1: liabilities are not what is held");
        require(handler.bought() - handler.withdrawn() == held, "I2: wei made or lost");
        handler.checkTabs();
        handler.checkWork();
        handler.checkRecords();
    }

    function afterInvariant() public {
        handler.everybodyLeaves();
        require(address(handler.theLedger()).balance == 0, "I7, I8: somebody could not leave with everything");
    }
}
