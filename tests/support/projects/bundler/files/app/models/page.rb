class Page
  def title
    [1, 2
  end
end
