import CSparseKernels

/// The channels that a token keeps, ascending, and a value for each: what goes from the kernel that
/// decides to those that skip.
///
/// Memory for every channel is taken once, so that decoding allocates nothing. Threads may fill the
/// list together, each its own range of channels, and then one of them joins the parts:
///
///     let part = kernels.gate(gate, x, .silu, thresholds, rows: rows, into: list)  // on each thread
///     list.join(parts)                                                             // on one
///
/// Every entry is below `channels`, whatever was joined: only kernels write here, and memory starts as
/// zeros. That is why kernels need not check them again.
package final class KeptList: @unchecked Sendable {
  /// How many channels there are to choose from.
  package let channels: Int
  /// How many are in the list.
  package private(set) var count = 0

  let indices: UnsafeMutablePointer<UInt32>
  let values: UnsafeMutablePointer<Float>

  /// An empty list.
  ///
  /// - Precondition: `channels` is not negative and fits 32 bits.
  package init(channels: Int) {
    precondition(channels >= 0 && channels <= UInt32.max)
    self.channels = channels
    indices = .allocate(capacity: channels)
    indices.initialize(repeating: 0, count: channels)
    values = .allocate(capacity: channels)
    values.initialize(repeating: 0, count: channels)
  }

  deinit {
    indices.deallocate()
    values.deallocate()
  }

  /// Makes the list from parts that kernels have filled, in ascending order and without overlap.
  ///
  /// - Complexity: O(entries of all parts but the first).
  package func join(_ parts: some Sequence<Range<Int>>) {
    var end = 0
    count = 0
    for part in parts {
      precondition(part.lowerBound >= end && part.upperBound <= channels)
      (indices + count).update(from: indices + part.lowerBound, count: part.count)
      (values + count).update(from: values + part.lowerBound, count: part.count)
      count += part.count
      end = part.upperBound
    }
  }

  /// Lists every channel with its value. Complexity: O(`channels`).
  ///
  /// - Precondition: `x` has one value a channel.
  package func keepAll(_ x: UnsafeBufferPointer<Float>) {
    precondition(x.count == channels)
    for channel in 0..<channels {
      indices[channel] = UInt32(truncatingIfNeeded: channel)
      values[channel] = x[channel]
    }
    count = channels
  }

  /// The listed channels, ascending. Complexity: O(`count`).
  package var keptChannels: [Int] { UnsafeBufferPointer(start: indices, count: count).map(Int.init) }

  /// The listed channels' values. Complexity: O(`count`).
  package var keptValues: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// Where a part that begins with channel `first` is written: there is room for each channel after it.
  func part(from first: Int) -> gambit_kept { gambit_kept(channels: indices + first, values: values + first) }
}
