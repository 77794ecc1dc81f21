import CHistograms

/// Where the bins of a histogram of magnitudes lie: bin `b` is what the leading bits of a float32,
/// without its sign, make of it: `clamp((bits >> shift) - first, 0, count - 1)`.
package struct BinScheme: Sendable {
  let bins: gambit_bins

  package init(shift: Int, first: Int, count: Int) {
    bins = gambit_bins(shift: UInt32(shift), first: Int32(first), count: Int32(count))
  }
}

/// Running histograms of the two factors of an FFN, in 64-bit fixed point, channel by channel.
package struct FactorHistograms {
  /// One bin of one factor; sums in units of 1/scale.
  package struct Cell {
    package var energy: Int64 = 0
    package var sum: Int64 = 0
    package var count: Int64 = 0
    private var unused: Int64 = 0

    package init() {}
  }

  /// Σ|x| and Σx² of one channel of one factor, in units of 1/scale.
  package struct Moments {
    package var absolute: Int64 = 0
    package var square: Int64 = 0

    package init() {}
  }

  package var gate: [Cell]  // [channels, bins]
  package var up: [Cell]  // [channels, bins]
  package var product: [Int64]  // [channels, bins]
  package var gateMoments: [Moments]  // [channels]
  package var upMoments: [Moments]  // [channels]
  private let scheme: BinScheme
  private let limit: Float
  private let scale: Double

  /// - Parameters:
  ///   - limit: Factors and products must be below it; its square times `scale` must be below 2⁵¹.
  ///   - scale: Units in 1.
  package init(channels: Int, _ scheme: BinScheme, limit: Float, scale: Double) {
    let cells = channels * Int(scheme.bins.count)
    gate = [Cell](repeating: Cell(), count: cells)
    up = gate
    product = [Int64](repeating: 0, count: cells)
    gateMoments = [Moments](repeating: Moments(), count: channels)
    upMoments = gateMoments
    self.scheme = scheme
    self.limit = limit
    self.scale = scale
  }

  /// Counts some tokens of one channel. Returns `false`, having counted nothing, where a number is not
  /// below the limit.
  ///
  /// - Complexity: O(tokens).
  package mutating func add(
    channel: Int, gate g: UnsafePointer<Float>, up u: UnsafePointer<Float>, tokens: Int
  ) -> Bool {
    let first = channel * Int(scheme.bins.count)
    // The C structures have the same fields in the same order.
    return gate.withUnsafeMutableBytes { gate in
      up.withUnsafeMutableBytes { up in
        product.withUnsafeMutableBufferPointer { product in
          gateMoments.withUnsafeMutableBytes { gateMoments in
            upMoments.withUnsafeMutableBytes { upMoments in
              gambit_count_factors(
                g, u, tokens, scheme.bins, limit, scale,
                gate.baseAddress?.assumingMemoryBound(to: gambit_cell.self).advanced(by: first),
                up.baseAddress?.assumingMemoryBound(to: gambit_cell.self).advanced(by: first),
                product.baseAddress?.advanced(by: first),
                gateMoments.baseAddress?.assumingMemoryBound(to: gambit_moments.self).advanced(by: channel),
                upMoments.baseAddress?.assumingMemoryBound(to: gambit_moments.self).advanced(by: channel)) == 1
            }
          }
        }
      }
    }
  }
}

package enum MagnitudeHistograms {
  /// Counts `tokens` rows of `channels` values into `[channels, bins]`. Returns whether all are finite.
  ///
  /// - Complexity: O(tokens · channels).
  package static func add(
    _ x: UnsafePointer<Float>, tokens: Int, channels: Int, _ scheme: BinScheme, into counts: inout [Int64]
  ) -> Bool {
    precondition(counts.count == channels * Int(scheme.bins.count))
    let largest = counts.withUnsafeMutableBufferPointer {
      gambit_count_magnitudes(x, tokens, channels, channels, scheme.bins, $0.baseAddress)
    }
    return largest < Float.infinity.bitPattern
  }
}

/// Makes channels contiguous: `columns[c · tokens + t] ← x[t · stride + c]`, for `width` channels.
package func gatherChannels(
  _ x: UnsafePointer<Float>, tokens: Int, stride: Int, width: Int, into columns: inout [Float]
) {
  precondition(columns.count >= tokens * width)
  columns.withUnsafeMutableBufferPointer { gambit_gather_channels($0.baseAddress, x, tokens, stride, width) }
}
