# A post of a blog.
class Post
  def title
    "untitled"
  end
end
