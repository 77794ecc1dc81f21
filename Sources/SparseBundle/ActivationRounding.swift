/// How activations are rounded where they are multiplied with quantised weights in integers: to 8 bits, with one
/// scale for each 32 values next to each other.
///
/// With `m` the greatest magnitude of a group, the code of `x` is the integer nearest to `x · (127 / m)`, ties to
/// even, and stands for `code · (m / 127)`; all of it in float32.
package enum ActivationRounding {
  /// Replaces values by what their codes stand for. Complexity: O(`count`).
  package static func round(_ x: UnsafeMutablePointer<Float>, count: Int) {
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let group = start..<min(start + WeightGroups.size, count)
      var largest: UInt32 = 0
      for i in group { largest = max(largest, x[i].magnitude.bitPattern) }
      let magnitude = Float(bitPattern: largest)
      let scale = magnitude / 127
      // So small a magnitude that its inverse is infinite counts as none.
      let inverse = 127 / magnitude < .infinity ? 127 / magnitude : 0
      for i in group { x[i] = nearestInteger(x[i] * inverse, -127, 127).value * scale }
    }
  }
}
