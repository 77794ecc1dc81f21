import CSparseKernels

/// Rows of a matrix that has one an input: those at some positions of a list, whose values they are multiplied with.
///
/// It refers to the list without keeping it alive, since threads that count references to one list wait for each other.
package struct ListedRows {
  fileprivate let c: gambit_listed
  fileprivate var columns: Int { c.w.columns }

  /// - Precondition: `list` is of the matrix' rows, `positions` are in it, and it neither changes nor ends meanwhile.
  package init(_ w: WeightMatrix, _ list: KeptList, _ positions: Range<Int>) {
    precondition(list.channels == w.rows && positions.within(list.count))
    c = gambit_listed(
      w: w.c, inputs: list.indices + positions.lowerBound, values: list.values + positions.lowerBound,
      count: positions.count)
  }
}

extension SparseKernels {
  /// `y[c] ← y[c] + Σ_k value_k · w[channel_k, c]` for `columns`, over up to three lists one after the other. Rows that
  /// are not listed are not read. Of `upcoming`, what this thread adds next, memory is asked for meanwhile.
  ///
  /// - Precondition: Matrices are as wide as `y`.
  /// - Complexity: O(positions · `columns.count`).
  package func spvmm(
    _ first: ListedRows, _ second: ListedRows? = nil, _ third: ListedRows? = nil, upcoming: ListedRows? = nil,
    into y: UnsafeMutableBufferPointer<Float>, columns: Range<Int>
  ) {
    withUnsafeTemporaryAllocation(of: gambit_listed.self, capacity: 4) { lists in
      var count = 0
      func add(_ rows: ListedRows?) {
        guard let rows else { return }
        precondition(y.count == rows.columns && columns.within(rows.columns))
        lists.initializeElement(at: count, to: rows.c)
        count += 1
      }
      add(first)
      add(second)
      add(third)
      let added = count
      add(upcoming)
      table.spvmm(lists.baseAddress, added, count - added, y.baseAddress, columns.c)
    }
  }
}
