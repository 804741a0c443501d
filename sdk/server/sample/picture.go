package sample

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
)

// A scene is the colours of a picture.
type scene int

const (
	meadow scene = iota
	sea
	dusk
	night
	desert
)

// The light of a scene is the sun or the moon.
var scenes = [...]struct{ top, horizon, light, far, near color.RGBA }{
	meadow: {rgb(0x5aa9e6), rgb(0xd7ecfa), rgb(0xfff3b0), rgb(0x7fb069), rgb(0x3f7d4e)},
	sea:    {rgb(0x7fb7be), rgb(0xdaf0ee), rgb(0xffffff), rgb(0x3a7ca5), rgb(0x16425b)},
	dusk:   {rgb(0x3d2c5e), rgb(0xf28f6b), rgb(0xffd166), rgb(0x6d3b6b), rgb(0x2d1b3d)},
	night:  {rgb(0x0b132b), rgb(0x33466e), rgb(0xf2f4e8), rgb(0x24345a), rgb(0x0a1020)},
	desert: {rgb(0xe9b872), rgb(0xfbe8c6), rgb(0xfffbe6), rgb(0xd98e4a), rgb(0xa65a2e)},
}

const (
	width, height = 96, 72
	shades        = 12 // of the sky
)

// picture returns a picture of a landscape as a data URL of about 550 bytes. The shape of the
// hills and the place of the light depend on the number.
func picture(s scene, number int) string {
	c := scenes[s]
	palette := color.Palette{c.light, c.far, c.near}
	for i := range shades {
		palette = append(palette, mix(c.top, c.horizon, float64(i)/(shades-1)))
	}
	m := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	phase := float64(number) * 1.7
	lightX, lightY := 22+float64(number*29%52), 16+float64(number*7%12)
	for x := range width {
		at := float64(x) / width * 2 * math.Pi
		far := 42 + 6*math.Sin(at+phase) + 3*math.Sin(2.3*at+phase)
		near := 56 + 5*math.Sin(0.8*at+2*phase) + 2*math.Sin(3*at)
		for y := range height {
			index := 3 + min(y*shades/50, shades-1)
			switch fy := float64(y); {
			case fy >= near:
				index = 2
			case fy >= far:
				index = 1
			case math.Hypot(float64(x)-lightX, fy-lightY) < 8:
				index = 0
			}
			m.SetColorIndex(x, y, uint8(index))
		}
	}
	var b bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m) // a Buffer does not fail
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func rgb(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }

func mix(a, b color.RGBA, share float64) color.RGBA {
	part := func(a, b uint8) uint8 { return uint8(float64(a) + share*(float64(b)-float64(a))) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 0xff}
}
