import Checkpoints
import Foundation
import LinearAlgebra

/// Cosines and sines of the rotary position embedding for the first `positions` positions.
///
/// Angles are products of float32 numbers, as in the reference implementations: at position
/// 10,000 a more exact angle would differ from the one that the model was trained with.
public struct RotaryTable: Sendable {
  let cosine: Matrix  // [positions, headDimension / 2]
  let sine: Matrix  // [positions, headDimension / 2]

  /// - Parameter local: For layers with a window, where these are turned by angles of their own.
  ///
  /// Complexity: O(`positions` · head dimension).
  public init(_ configuration: ModelConfiguration, positions: Int, local: Bool = false) {
    let half = configuration.headDimension / 2
    cosine = Matrix(rows: positions, columns: half)
    sine = Matrix(rows: positions, columns: half)
    for (i, frequency) in configuration.rotaryFrequencies(local: local).enumerated() {
      for position in 0..<positions {
        let angle = Double(Float(position) * frequency)
        cosine.base[position * half + i] = Float(cos(angle))
        sine.base[position * half + i] = Float(sin(angle))
      }
    }
  }

  /// Cosines of `position`, `[headDimension / 2]`.
  public func cosines(at position: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: cosine.row(position), count: cosine.columns))
  }
  /// Sines of `position`, `[headDimension / 2]`.
  public func sines(at position: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: sine.row(position), count: sine.columns))
  }

  /// Rotates `heads` heads that lie side by side in one row, in the half-split order.
  package func rotate(_ row: UnsafeMutablePointer<Float>, heads: Int, position: Int) {
    let half = cosine.columns
    for head in 0..<heads {
      VectorMath.rotateHalf(
        row + head * 2 * half, cosine: cosine.row(position), sine: sine.row(position), half: half)
    }
  }
}

/// The rotary positions of each layer: one table for all, or two where layers with a window have another base.
public struct RotaryTables: Sendable {
  private let global: RotaryTable
  private let local: RotaryTable
  private let isLocal: [Bool]

  /// Complexity: O(`positions` · head dimension).
  public init(_ configuration: ModelConfiguration, positions: Int) {
    global = RotaryTable(configuration, positions: positions)
    local =
      configuration.localRopeBase == nil
      ? global : RotaryTable(configuration, positions: positions, local: true)
    isLocal = (0..<configuration.layerCount).map(configuration.isLocal)
  }

  public subscript(layer: Int) -> RotaryTable { isLocal[layer] ? local : global }
}
